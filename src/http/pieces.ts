import type { PieceBody } from "../gateway/answer.ts";
import { Patience } from "../lib/patience.ts";

export interface Slowest {
  /** Milliseconds that a reader may take for one piece. */
  readonly pieceMs: number;
  /** Milliseconds that it may take for all of them. */
  readonly totalMs: number;
}

/** 240 MB, the largest answer, within 30 minutes: a line of 1.1 Mbit/s. */
const SLOWEST: Slowest = { pieceMs: 60_000, totalMs: 30 * 60_000 };

const encoder = new TextEncoder();

/**
 * A pull stream over a body: the next piece is made once the client has taken the last. `ended` is called
 * when no more of it is made. The body is in memory as long as it is read: a client that stops to, or is at it for too long,
 * loses its connection, as one that left.
 */
export function streamOf(
  body: PieceBody,
  ended: () => void,
  { pieceMs, totalMs }: Slowest = SLOWEST,
): ReadableStream<Uint8Array> {
  let giveUp = (): void => undefined;
  const piece = new Patience(pieceMs, () => giveUp());
  const total = new Patience(totalMs, () => giveUp());
  const close = (): void => {
    piece.end();
    total.end();
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        giveUp = () => {
          close();
          body.cancel();
          // From now on the server's own timer closes a connection on which nothing moves.
          ended();
          // Without a reason: the runtime would write it to standard error, with our source.
          controller.error();
        };
      },
      pull: async (controller) => {
        const text = await body.next();
        if (text === null) {
          close();
          ended();
          controller.close();
        } else {
          piece.wait(pieceMs);
          controller.enqueue(encoder.encode(text));
        }
      },
      cancel: () => {
        close();
        body.cancel();
      },
    },
    { highWaterMark: 1 },
  );
}
