import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { isHere } from "../../test/needs.ts";
import { ConnectGuard } from "./connect-guard.ts";

/** A listener's queue that is full: nobody takes connections out of it, and the next ones hang. */
const FULL = `
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(0)
held = []
for _ in range(3):
    c = socket.socket()
    c.setblocking(False)
    try: c.connect(s.getsockname())
    except BlockingIOError: pass
    held.append(c)
print(s.getsockname()[1], flush=True)
sys.stdin.read()
`;

test.skipIf(!isHere("python3"))(
  "an origin that takes no connection is given up within the limit, one that does is not",
  async () => {
    const child = Bun.spawn(["python3", "-c", FULL], { stdin: "pipe", stdout: "pipe" });
    try {
      const { value } = await child.stdout.getReader().read();
      const port = Number(new TextDecoder().decode(value));
      const given = Promise.withResolvers<number>();
      const began = performance.now();
      const guard = new ConnectGuard(`http://127.0.0.1:${port}/v1`, 300, {});
      guard.watch(() => given.resolve(performance.now() - began));
      expect(await given.promise).toBeGreaterThanOrEqual(299);
    } finally {
      child.kill();
      await child.exited;
    }
  },
);

test("one that answered lately is not asked, and one behind a proxy can't be", async () => {
  let connections = 0;
  const opened = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined);
    opened.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const url = `http://127.0.0.1:${port}`;
  const late = (): never => {
    throw new Error("given up");
  };
  const proxied = new ConnectGuard(url, 1000, { HTTP_PROXY: "http://proxy:1" });
  proxied.watch(late)();
  const known = new ConnectGuard(url, 1000, {});
  known.answered();
  known.watch(late)();
  const fresh = new ConnectGuard(url, 1000, {
    HTTP_PROXY: "http://proxy:1",
    NO_PROXY: "127.0.0.1",
  });
  const end = fresh.watch(late);
  await opened.promise;
  end();
  expect(connections).toBe(1);
  server.close();
});
