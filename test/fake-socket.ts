import type { IncomingMessage, ServerResponse } from "node:http";
import type { FakeAnswer } from "./fake-behaviour.ts";
import type { Piece } from "./fake-faults.ts";

export async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return text === "" ? {} : JSON.parse(text);
}

/**
 * Writes an answer as fast as it is taken, and tells how it ended before its last byte can be known of:
 * `left` when the other side went away. An error inside the answer closes the socket, as an upstream
 * that dies does.
 */
export async function write(
  response: ServerResponse,
  answer: FakeAnswer,
  ended: (how: "whole" | "cut" | "left") => void,
  wrote: (piece: Piece) => void,
): Promise<void> {
  const left = new Promise<"left">((resolve) => response.on("close", () => resolve("left")));
  const { status, headers = {}, body } = answer;
  const length = typeof body === "string" ? Buffer.byteLength(body) : answer.length;
  response.writeHead(
    status,
    length === undefined ? headers : { ...headers, "content-length": length },
  );
  if (typeof body === "string") {
    ended("whole");
    response.end(body);
    wrote(body);
    return;
  }
  response.flushHeaders();
  const source = body[Symbol.asyncIterator]();
  for (;;) {
    let step: IteratorResult<Piece> | "left";
    try {
      step = await Promise.race([source.next(), left]);
    } catch {
      ended("cut");
      response.socket?.destroy();
      return;
    }
    if (step === "left") {
      source.return?.().catch(() => undefined);
      ended("left");
      return;
    }
    if (step.done === true) {
      ended("whole");
      response.end();
      return;
    }
    wrote(step.value);
    if (response.write(step.value)) continue;
    const drained = new Promise<"drained">((resolve) =>
      response.once("drain", () => resolve("drained")),
    );
    if ((await Promise.race([drained, left])) === "left") return ended("left");
  }
}
