import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A hub that speaks Hugging Face's download protocol, and its CDN, on two ports: two origins. Faults
 * are set by the test; every request is kept for it to look at.
 */
export interface FakeHub extends AsyncDisposable {
  readonly endpoint: string;
  readonly hubRequests: IncomingMessage[];
  readonly cdnRequests: IncomingMessage[];
  file: Uint8Array;
  commit: string;
  /** What the hub announces; the file's own sha256 unless a test lies. */
  sha256: string;
  /** Answers of the hub instead of a file. */
  refusal: { status: number; code?: string } | null;
  /** The token without which the hub says 401. */
  token: string | null;
  /** Bytes after which the CDN cuts the connection, one entry a request; then it behaves. */
  cuts: number[];
  /** Bytes a CDN answer stops at without closing, until the client goes; one entry a request. */
  hangs: number[];
  ignoresRange: boolean;
  /** Sends the redirect there instead of to the CDN. */
  redirect: string | null;
  /** Answers of the CDN before it behaves. */
  failures: number[];
}

export function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  return new Promise((done) => {
    const server = createServer(handle);
    server.listen(0, "127.0.0.1", () => done(server));
  });
}

function originOf(server: Server): string {
  const address = server.address();
  const isBound = (value: typeof address): value is AddressInfo =>
    typeof value === "object" && value !== null;
  if (!isBound(address)) throw new Error("the server is not bound");
  return `http://127.0.0.1:${address.port}`;
}

export async function startFakeHub(file: Uint8Array): Promise<FakeHub> {
  const cdn = await listen((request, response) => {
    hub.cdnRequests.push(request);
    const failure = hub.failures.shift();
    if (failure !== undefined) {
      response.writeHead(failure).end();
      return;
    }
    const etag = `"${sha256(hub.file).slice(0, 16)}"`;
    const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const fresh = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
    const start = from !== undefined && fresh && !hub.ignoresRange ? Number(from) : 0;
    const total = hub.file.length;
    if (start > 0 && start >= total) {
      response.writeHead(416, { "content-range": `bytes */${total}` }).end();
      return;
    }
    const body = hub.file.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      etag,
      "content-length": body.length,
      ...(start > 0 ? { "content-range": `bytes ${start}-${total - 1}/${total}` } : {}),
    });
    const cut = hub.cuts.shift();
    const hang = hub.hangs.shift();
    if (cut !== undefined) response.write(body.subarray(0, cut), () => request.socket.destroy());
    else if (hang !== undefined) response.write(body.subarray(0, hang));
    else response.end(body);
  });
  const server = await listen((request, response) => {
    hub.hubRequests.push(request);
    if (hub.refusal !== null) {
      const code = hub.refusal.code;
      response
        .writeHead(hub.refusal.status, code === undefined ? {} : { "x-error-code": code })
        .end();
      return;
    }
    if (hub.token !== null && request.headers.authorization !== `Bearer ${hub.token}`) {
      response.writeHead(401, { "x-error-code": "GatedRepo" }).end();
      return;
    }
    response
      .writeHead(302, {
        location: hub.redirect ?? `${originOf(cdn)}/blob?signature=1`,
        "x-repo-commit": hub.commit,
        "x-linked-etag": `"${hub.sha256}"`,
        "x-linked-size": String(hub.file.length),
      })
      .end();
  });
  const hub: FakeHub = {
    endpoint: originOf(server),
    hubRequests: [],
    cdnRequests: [],
    file,
    commit: "a".repeat(40),
    sha256: sha256(file),
    refusal: null,
    token: null,
    cuts: [],
    hangs: [],
    ignoresRange: false,
    redirect: null,
    failures: [],
    async [Symbol.asyncDispose]() {
      for (const each of [server, cdn]) {
        each.closeAllConnections();
        await new Promise((done) => each.close(done));
      }
    },
  };
  return hub;
}

/** Bytes that no two offsets share by chance, so that a wrong splice shows. */
export function patternBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 0x9e3779b9;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
