import { afterAll, beforeEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { type Slowest, streamOf } from "./pieces.ts";

/** A large answer as its client reads it, over a socket. */
const PIECE = "x".repeat(256 * 1024);
const PIECES = 200;

let made = 0;
let slowest: Slowest;
let over = Promise.withResolvers<"ended" | "cancelled">();
/** The connection is closed on the server's side. */
let left = Promise.withResolvers<void>();
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  error: () => new Response(null, { status: 500 }),
  fetch: (request, server) => {
    server.timeout(request, 0);
    request.signal.addEventListener("abort", () => left.resolve());
    const body = {
      next: async () => (made++ < PIECES ? PIECE : null),
      cancel: () => over.resolve("cancelled"),
    };
    const ended = () => {
      over.resolve("ended");
      server.timeout(request, 1);
    };
    return new Response(streamOf(body, ended, slowest));
  },
});
afterAll(() => server.stop(true));
beforeEach(() => {
  made = 0;
  over = Promise.withResolvers();
  left = Promise.withResolvers();
});

/** A client that asks and does not read. */
async function asking(): Promise<Socket> {
  const socket = connect(Number(server.port), "127.0.0.1").on("error", () => undefined);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  return socket;
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => socket.once("close", () => resolve()));

test("a client that reads gets all of it, however long that is", async () => {
  slowest = { pieceMs: 10_000, totalMs: 60_000 };
  const text = await (await fetch(server.url)).text();
  expect(text.length).toBe(PIECES * PIECE.length);
  expect(await over.promise).toBe("ended");
});

test("no more is made than a client takes, and one that stops to read is left", async () => {
  slowest = { pieceMs: 300, totalMs: 60_000 };
  const socket = await asking();
  expect(await over.promise).toBe("cancelled");
  expect(made).toBeLessThan(PIECES);
  const gone = closed(socket);
  let last = "";
  socket.on("data", (data) => {
    last = data.toString().slice(-5);
  });
  socket.resume();
  await gone;
  // The sign of a whole answer.
  expect(last).not.toBe("0\r\n\r\n");
});

test("its connection is closed though it never reads again", async () => {
  slowest = { pieceMs: 300, totalMs: 60_000 };
  const socket = await asking();
  expect(await over.promise).toBe("cancelled");
  await left.promise;
  socket.destroy();
}, 20_000);

test("one that takes a little again and again is left when its time is over", async () => {
  slowest = { pieceMs: 60_000, totalMs: 400 };
  const socket = await asking();
  expect(await over.promise).toBe("cancelled");
  expect(made).toBeLessThan(PIECES);
  socket.destroy();
});

test("one that leaves is not waited for", async () => {
  slowest = { pieceMs: 60_000, totalMs: 60_000 };
  const socket = await asking();
  await new Promise<void>((resolve) => socket.once("readable", () => resolve()));
  socket.destroy();
  expect(await over.promise).toBe("cancelled");
});
