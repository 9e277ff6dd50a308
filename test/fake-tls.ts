import { generateKeyPairSync, sign } from "node:crypto";

/** A server whose certificate nobody has signed but itself. Answers everything, should anyone get that far. */
export interface FakeTls {
  readonly url: string;
  /** Requests that got through: none should. */
  readonly answered: () => number;
  close(): Promise<void>;
}

export function fakeTls(): FakeTls {
  let answered = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: selfSigned(),
    fetch: () => {
      answered += 1;
      return Response.json({
        choices: [{ message: { role: "assistant", content: "heard" }, finish_reason: "stop" }],
      });
    },
  });
  return {
    url: `https://127.0.0.1:${server.port}/v1`,
    answered: () => answered,
    close: () => server.stop(true),
  };
}

/** DER: a tag, the length, the content. */
function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Uint8Array.from([tag, ...size]), content]);
}

const SEQUENCE = 0x30;
const COMMON_NAME = der(0x06, Uint8Array.from([0x55, 0x04, 0x03]));
const ECDSA_SHA256 = der(
  SEQUENCE,
  der(0x06, Uint8Array.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])),
);

/** An X.509 v1 certificate (RFC 5280) for 127.0.0.1, its own issuer, and its key. */
function selfSigned(): { key: string; cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const text = (tag: number, value: string) => der(tag, new TextEncoder().encode(value));
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, COMMON_NAME, text(0x0c, "127.0.0.1"))));
  const validity = der(SEQUENCE, text(0x17, "200101000000Z"), text(0x17, "491231235959Z"));
  const serial = der(0x02, Uint8Array.from([1]));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const body = der(SEQUENCE, serial, ECDSA_SHA256, name, validity, name, spki);
  const signature = sign("sha256", body, privateKey);
  const certificate = der(SEQUENCE, body, ECDSA_SHA256, der(0x03, Uint8Array.from([0]), signature));
  const base64 = Buffer.from(certificate).toString("base64").replace(/.{64}/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  };
}
