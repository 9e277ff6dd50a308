import { expect, test } from "bun:test";
import { Room } from "./room.ts";

const never = new AbortController().signal;

test("what fits goes together; what doesn't waits, and nobody overtakes it", async () => {
  const room = new Room(100);
  const came: string[] = [];
  const take = async (name: string, bytes: number, signal = never) => {
    const letGo = await room.take(bytes, signal);
    came.push(name);
    return letGo;
  };
  const [first, second] = [await take("first", 40), await take("second", 40)];
  const large = take("large", 70);
  const small = take("small", 10);
  await Promise.resolve();
  expect(came).toEqual(["first", "second"]);
  first();
  first();
  second();
  await Promise.all([large, small]);
  expect(came).toEqual(["first", "second", "large", "small"]);
});

test("one that is larger than all there is gets it alone; who leaves makes way", async () => {
  const room = new Room(100);
  const stop = new AbortController();
  const letGo = await room.take(1_000, never);
  const leaving = room.take(100, stop.signal);
  const last = room.take(1, never);
  const reason = new Error("left");
  stop.abort(reason);
  expect(await leaving.catch((error: unknown) => error)).toBe(reason);
  letGo();
  (await last)();
});
