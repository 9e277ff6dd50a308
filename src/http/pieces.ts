import type { PieceBody } from "../gateway/answer.ts";

const encoder = new TextEncoder();

/** A pull stream over a body: the next piece is made once the client has taken the last. `ended` is called after it. */
export function streamOf(body: PieceBody, ended: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const piece = await body.next();
        if (piece === null) {
          ended();
          controller.close();
        } else controller.enqueue(encoder.encode(piece));
      },
      cancel: () => body.cancel(),
    },
    { highWaterMark: 1 },
  );
}
