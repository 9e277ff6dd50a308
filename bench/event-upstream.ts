/**
 * A process: an upstream that streams chat answers, one event in one write, straight on a socket so
 * that it costs little. The model says how: `events-<count>-<ms>`, so many milliseconds from one
 * event to the next; 0 is as fast as the socket takes them. Prints its port.
 */

const HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

interface Connection {
  received: string;
  /** What the socket has not taken yet. */
  left: Uint8Array | null;
  drained: (() => void) | null;
}

type Socket = Bun.Socket<Connection>;

const server = Bun.listen<Connection>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: (socket) => {
      socket.data = { received: "", left: null, drained: null };
      socket.setNoDelay(true);
    },
    data: (socket, bytes) => {
      socket.data.received += bytes.toString("latin1");
      const plan = request(socket.data);
      if (plan !== null) void answer(socket, plan.count, plan.gapMs);
    },
    drain: (socket) => {
      const { left, drained } = socket.data;
      if (left !== null && !flush(socket, left)) return;
      socket.data.drained = null;
      drained?.();
    },
    close: (socket) => socket.data.drained?.(),
  },
});
console.log(`listens on http://127.0.0.1:${server.port}`);

/** The plan of a request that has arrived whole; its bytes are then forgotten. */
function request(connection: Connection): { count: number; gapMs: number } | null {
  const end = connection.received.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const length = Number(/content-length: (\d+)/i.exec(connection.received)?.[1] ?? 0);
  if (connection.received.length < end + 4 + length) return null;
  const [, count = "0", gapMs = "0"] = /events-(\d+)-(\d+)/.exec(connection.received) ?? [];
  connection.received = connection.received.slice(end + 4 + length);
  return { count: Number(count), gapMs: Number(gapMs) };
}

async function answer(socket: Socket, count: number, gapMs: number): Promise<void> {
  await write(socket, HEAD + chunk([{ delta: { role: "assistant", content: "" } }]));
  const began = performance.now();
  for (let sent = 1; sent <= count && socket.readyState > 0; sent++) {
    if (gapMs > 0) await Bun.sleep(Math.max(0, began + sent * gapMs - performance.now()));
    else await new Promise((resolve) => setImmediate(resolve));
    await write(socket, chunk([{ delta: { content: " token" } }]));
  }
  const usage = { prompt_tokens: 20, completion_tokens: count, total_tokens: 20 + count };
  await write(socket, chunk([{ delta: {}, finish: "stop" }]));
  await write(socket, chunk([], usage));
  await write(socket, framed("data: [DONE]\n\n"));
  await write(socket, "0\r\n\r\n");
}

function chunk(choices: { delta: object; finish?: string }[], usage?: object): string {
  const event = {
    id: "chatcmpl-123456789",
    object: "chat.completion.chunk",
    created: 1742668800,
    model: "bench",
    choices: choices.map(({ delta, finish }) => ({
      index: 0,
      delta,
      logprobs: null,
      finish_reason: finish ?? null,
    })),
    ...(usage === undefined ? {} : { usage }),
  };
  return framed(`data: ${JSON.stringify(event)}\n\n`);
}

/** Events here are ASCII: characters are bytes. */
function framed(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

async function write(socket: Socket, text: string): Promise<void> {
  if (flush(socket, new TextEncoder().encode(text))) return;
  await new Promise<void>((resolve) => {
    socket.data.drained = resolve;
  });
}

/** False while the socket has not taken all of it. */
function flush(socket: Socket, bytes: Uint8Array): boolean {
  const taken = Math.max(0, socket.write(bytes));
  socket.data.left = taken < bytes.length ? bytes.subarray(taken) : null;
  return socket.data.left === null;
}

export {};
