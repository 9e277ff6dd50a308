import { expect, test } from "bun:test";
import { GatewayError } from "../../contract/errors.ts";
import { inDecodeTime } from "./decode-limit.ts";
import type { OcrEvent } from "./protocol.ts";

const images = ["first", "second"].map((param) => ({ bytes: new Uint8Array(1), param }));
const decoded: OcrEvent = { type: "image", width: 1, height: 1 };
const never = new AbortController().signal;
const MS = 150;

/** A process that goes on until it is left, as askModel tells it. */
const left = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () =>
      reject(new GatewayError("client_closed", "The request was cancelled.")),
    ),
  );

test("an image that is not decoded in time is refused by its place, and the work is left", async () => {
  const work = inDecodeTime(
    images,
    never,
    (signal, began, onEvent) => {
      began();
      onEvent(decoded);
      return left(signal);
    },
    MS,
  );
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ status: 400, param: "second" });
  expect(String(error)).toContain("too long");
});

/** Resolves when another image, begun now, has taken too long. */
const tooLong = () =>
  inDecodeTime(
    images,
    never,
    (signal, began) => {
      began();
      return left(signal);
    },
    MS,
  ).catch(() => undefined);

test("what is waited for before, and what is read after, takes its own time", async () => {
  await inDecodeTime(
    images.slice(0, 1),
    never,
    async (signal, began, onEvent) => {
      await tooLong();
      expect(signal.aborted).toBe(false);
      began();
      onEvent(decoded);
      await tooLong();
      expect(signal.aborted).toBe(false);
    },
    MS,
  );
});

test("what else goes wrong stays what it is", async () => {
  const leaving = new AbortController();
  const work = inDecodeTime(images, leaving.signal, (signal, began) => {
    began();
    return left(signal);
  });
  leaving.abort();
  expect(await work.catch((thrown: unknown) => thrown)).toMatchObject({ kind: "client_closed" });
});
