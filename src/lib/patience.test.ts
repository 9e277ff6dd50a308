import { expect, test } from "bun:test";
import { Patience } from "./patience.ts";

const start = (ms: number) => {
  const given = Promise.withResolvers<void>();
  let times = 0;
  const patience = new Patience(ms, () => {
    times += 1;
    given.resolve();
  });
  return { patience, given: given.promise, times: () => times };
};

test("runs out once when nothing happens, and not before its time", async () => {
  const began = performance.now();
  const { patience, given, times } = start(150);
  await given;
  expect(performance.now() - began).toBeGreaterThanOrEqual(149);
  await Bun.sleep(250);
  expect([patience.expired, times()]).toEqual([true, 1]);
});

test("does not run out while something happens", async () => {
  const { patience, given } = start(10_000);
  for (let i = 0; i < 6; i++) {
    patience.wait(300);
    await Bun.sleep(60);
  }
  expect(patience.expired).toBe(false);
  patience.wait(10);
  await given;
  expect(patience.expired).toBe(true);
});

test("a rest of the reader's is not the source's silence", async () => {
  const { patience, given } = start(10);
  patience.pause();
  await Bun.sleep(250);
  expect(patience.expired).toBe(false);
  patience.wait(10);
  await given;
  expect(patience.expired).toBe(true);
});

test("what has ended never gives up", async () => {
  const ended = start(10);
  ended.patience.end();
  const other = start(150);
  await other.given;
  expect([ended.patience.expired, ended.times()]).toEqual([false, 0]);
});

test("one that rests and is forgotten is not kept", async () => {
  const forgotten: WeakRef<Patience>[] = [];
  for (let i = 0; i < 500; i++) {
    const { patience } = start(10_000);
    patience.pause();
    forgotten.push(new WeakRef(patience));
  }
  await Bun.sleep(0);
  Bun.gc(true);
  expect(forgotten.filter((each) => each.deref() !== undefined).length).toBeLessThan(50);
});
