import { INBAND_MESSAGE, type Voice } from "./fake-voice.ts";

/** Bytes or text to be written to the socket in one go. */
export type Piece = string | Uint8Array;

/** What is done to an answer on its way out. `n` is the number in the model's name. */
export interface Change {
  readonly name: string;
  readonly n: number;
}

/** Thrown where the socket is to be closed. */
export class SocketCut extends Error {}

const COMMENT_MS = 100;

/** The events of a stream with its faults: each change counts the events of what stands after it in the name. */
export async function* changed(
  events: AsyncIterable<Piece>,
  changes: readonly Change[],
  voice: Voice,
): AsyncGenerator<Piece> {
  const [change, ...inner] = changes;
  if (change === undefined) {
    yield* events;
    return;
  }
  const { name, n } = change;
  const source = changed(events, inner, voice);
  if (name === "slowtoken") {
    for (let waited = 0; waited < n; waited += COMMENT_MS) {
      yield voice.comment ?? ": waiting\n\n";
      await Bun.sleep(Math.min(COMMENT_MS, n - waited));
    }
  }
  let count = 0;
  for await (const event of source) {
    if (count === n) {
      switch (name) {
        case "dies":
          await settled();
          throw new SocketCut();
        case "halfevent":
          await settled();
          yield halfOf(event);
          await settled();
          throw new SocketCut();
        case "stalls":
          return await new Promise<never>(() => undefined);
        case "stallscomments":
          for (;;) {
            yield voice.comment ?? ": keepalive\n\n";
            await Bun.sleep(COMMENT_MS);
          }
        case "ends":
          return;
        case "inband":
        case "inbandchunk":
          yield voice.failure(name === "inbandchunk");
          return;
        case "malformed":
          yield voice.malformed;
      }
    }
    if (name === "paced" && count > 0) await Bun.sleep(n);
    if (name === "nodone" && event === voice.done) return;
    yield event;
    count += 1;
  }
}

/** So that what was written before has gone out on its own. */
const settled = () => Bun.sleep(5);

/** The first part of an event, cut inside a character of several bytes if it has one. */
function halfOf(event: Piece): Uint8Array {
  const bytes = typeof event === "string" ? new TextEncoder().encode(event) : event;
  const wide = bytes.findIndex((byte) => byte >= 0xc2);
  return bytes.subarray(0, wide >= 0 ? wide + 1 : bytes.length >> 1);
}

/** A whole answer's text with its faults. A `SocketCut` at its end means that more was announced. */
export async function* changedWhole(
  body: Record<string, unknown>,
  changes: readonly Change[],
): AsyncGenerator<Piece> {
  const text = JSON.stringify(body);
  const half = text.slice(0, text.length >> 1);
  for (const { name, n } of changes) {
    switch (name) {
      case "slowtoken":
        await Bun.sleep(n);
        break;
      case "dies":
      case "halfevent":
      case "shortjson":
        yield half;
        await settled();
        throw new SocketCut();
      case "stalls":
      case "stallscomments":
        yield half;
        return await new Promise<never>(() => undefined);
      case "malformed":
        yield '{"choices": oops';
        return;
      case "truncatedjson":
        yield half;
        return;
      case "inband":
        yield JSON.stringify({
          error: { message: INBAND_MESSAGE, type: "server_error", code: 502 },
        });
        return;
      case "inbandchunk":
        yield JSON.stringify({
          ...body,
          choices: [
            {
              index: 0,
              message: { role: "assistant", content: "half of" },
              finish_reason: "error",
              error: { code: 502, message: INBAND_MESSAGE },
            },
          ],
        });
        return;
    }
  }
  yield text;
}

/** Changes that announce the whole length, though less than that comes. */
export const CUT_WHOLES: readonly string[] = [
  "dies",
  "halfevent",
  "shortjson",
  "stalls",
  "stallscomments",
];
