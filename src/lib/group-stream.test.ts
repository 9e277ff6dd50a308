import { expect, test } from "bun:test";
import { GroupStream } from "./group-stream.ts";

const nothing = () => undefined;

test("one read takes all that was written since the last", async () => {
  const stream = new GroupStream<number>(nothing);
  stream.push(1);
  stream.push(2);
  expect(await stream.next()).toEqual({ done: false, value: [1, 2] });
  const waiting = stream.next();
  stream.push(3);
  expect(await waiting).toEqual({ done: false, value: [3] });
  stream.close();
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test("a failure comes after what was written before it, an abort at once", async () => {
  const failed = new GroupStream<number>(nothing);
  failed.push(1);
  failed.fail(new Error("broken"));
  expect(await failed.next()).toEqual({ done: false, value: [1] });
  await expect(failed.next()).rejects.toThrow("broken");

  const aborted = new GroupStream<number>(nothing);
  aborted.push(1);
  aborted.fail(new Error("left"), true);
  await expect(aborted.next()).rejects.toThrow("left");
});

test("the writer learns that the reader stopped early, and only then", async () => {
  let told = 0;
  const left = new GroupStream<number>(() => told++);
  left.push(1);
  for await (const _ of left) break;
  expect(told).toBe(1);

  const finished = new GroupStream<number>(() => told++);
  finished.close();
  for await (const _ of finished) expect.unreachable();
  await finished.return();
  expect(told).toBe(1);
});
