import { expect, test } from "bun:test";
import { connect } from "node:net";
import { startCovey } from "../covey.ts";

test("a server that stops lets slow readers have the whole of an answer that is accounted", async () => {
  const content = "x".repeat(16_000_000);
  const upstream = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () =>
      Response.json({
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: { prompt_tokens: 1, completion_tokens: 1 },
      }),
  });
  const covey = await startCovey({
    toml: `[engine]\npreload = false\n[providers.big]\nbase_url = "${upstream.url}v1"\nmodels = [{ id = "big" }]\n`,
  });
  const body = JSON.stringify({ model: "big", messages: [{ role: "user", content: "x" }] });
  const socket = connect(Number(new URL(covey.url).port), "127.0.0.1");
  const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  let received = 0;
  const began = new Promise<void>((resolve) => {
    socket.on("data", (bytes: Buffer) => {
      received += bytes.length;
      // Slower than the server writes.
      socket.pause();
      setTimeout(() => socket.resume(), 1);
      resolve();
    });
  });
  await began;
  await covey.app.close(20_000);
  await ended;
  expect(received).toBeGreaterThan(content.length);
  await covey.close();
  await upstream.stop(true);
}, 60_000);
