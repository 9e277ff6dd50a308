import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Where to cut an answer: a place in the bytes that came so far, or null to wait for more. */
export type Cut = (bytes: Buffer) => number | null;

/**
 * A wire between a gateway and a server that can be cut at an exact byte. What has passed until then
 * is what the gateway knows of the answer: nothing that comes later gets through.
 */
export interface CuttingRelay {
  /** `http://127.0.0.1:…`; stays the same when the server behind it is another one. */
  readonly url: string;
  /** Where new connections lead; `http://127.0.0.1:…`. */
  target: string;
  /**
   * The next answer is cut where `cut` says, once; `onCut` has to end the server before the gateway
   * notices. Resolves with the bytes that passed.
   */
  cutNext(cut: Cut, onCut: () => Promise<void>): Promise<Buffer>;
  /** Whether a cut is still to come. */
  readonly waiting: boolean;
  close(): Promise<void>;
}

export async function cuttingRelay(): Promise<CuttingRelay> {
  let target = "";
  let armed: { cut: Cut; onCut: () => Promise<void>; passed: (bytes: Buffer) => void } | null =
    null;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const { hostname, port } = new URL(target);
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Its other end may be killed at any moment: that is what this is for.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    let seen: Buffer<ArrayBufferLike> = Buffer.alloc(0);
    let cutting = false;
    client.on("data", (bytes) => upstream.write(bytes));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => {
      if (!cutting) client.destroy();
    });
    upstream.on("data", (bytes: Buffer) => {
      if (cutting) return;
      const before = seen.length;
      seen = Buffer.concat([seen, bytes]);
      const at = armed?.cut(seen) ?? null;
      if (armed === null || at === null) {
        client.write(bytes);
        return;
      }
      const { onCut, passed } = armed;
      armed = null;
      cutting = true;
      const rest = seen.subarray(before, Math.max(before, at));
      client.write(rest, () =>
        onCut().then(() => {
          client.destroy();
          passed(seen.subarray(0, at));
        }),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    get target() {
      return target;
    },
    set target(url: string) {
      target = url;
    },
    get waiting() {
      return armed !== null;
    },
    cutNext: (cut, onCut) => {
      const { promise, resolve } = Promise.withResolvers<Buffer>();
      armed = { cut, onCut, passed: resolve };
      return promise;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** The text of the whole events in a stream's bytes, as far as they came. */
export function textIn(bytes: Buffer): string {
  return textsOf(bytes.toString("utf8")).join("");
}

function textsOf(wire: string): string[] {
  return [...wire.matchAll(/"(?:content|text)":("(?:[^"\\]|\\.)*")[^\n]*\n\n/g)].map(
    ([, json = '""']) => String(JSON.parse(json)),
  );
}

/** Cuts right after the event that makes the text so far fit. */
export function afterText(fits: (text: string) => boolean): Cut {
  return (bytes) => {
    const end = bytes.lastIndexOf("\n\n");
    return end !== -1 && fits(textIn(bytes.subarray(0, end + 2))) ? end + 2 : null;
  };
}

/** Cuts inside the first event that has this text, after so many of its bytes. */
export function inside(text: string, bytesOf: number): Cut {
  return (bytes) => {
    const at = bytes.indexOf(text);
    return at === -1 ? null : at + bytesOf;
  };
}
