import { expect, test } from "bun:test";
import { Tokenising } from "./tokenising.ts";

const never = new AbortController().signal;

test("keys tokenise by turns, slice by slice, and other work is done between two slices", async () => {
  const tokenising = new Tokenising();
  const order: string[] = [];
  const work = (keyId: string, slices: number) =>
    tokenising.byTurns(keyId, never, async (turn) => {
      for (let slice = 0; slice < slices; slice++) {
        order.push(keyId);
        await turn(2_048);
      }
    });
  let ticks = 0;
  const tick = () => {
    ticks++;
    setImmediate(tick).unref();
  };
  tick();
  await Promise.all([...Array.from({ length: 10 }, () => work("many", 3)), work("one", 2)]);
  expect(order.length).toBe(32);
  // Its two slices are among the first four, whatever the other key has waiting.
  expect(order.slice(0, 4).filter((keyId) => keyId === "one").length).toBe(2);
  expect(ticks).toBeGreaterThanOrEqual(32);
});

test("short texts take no turns of their own until they are as long as a slice together", async () => {
  const tokenising = new Tokenising();
  const order: string[] = [];
  const work = (name: string) =>
    tokenising.byTurns("key", never, async (turn) => {
      for (let text = 0; text < 3; text++) {
        order.push(name);
        await turn(600);
      }
    });
  await Promise.all([work("a"), work("b")]);
  expect(order.join("")).toBe("aaabbb");
});

test("short texts of many requests that came together are ready in one round, so that they make one batch", async () => {
  const tokenising = new Tokenising();
  let rounds = 0;
  const tick = () => {
    rounds++;
    setImmediate(tick).unref();
  };
  setImmediate(tick).unref();
  const works = Array.from({ length: 20 }, (_, key) =>
    tokenising.byTurns(`${key}`, never, async (turn) => turn(60)),
  );
  await Promise.all(works);
  expect(rounds).toBeLessThanOrEqual(1);
});

test("who has left tokenises no further, and others go on", async () => {
  const tokenising = new Tokenising();
  const leaving = new AbortController();
  let slices = 0;
  const left = tokenising.byTurns("one", leaving.signal, async (turn) => {
    for (;;) {
      slices++;
      if (slices === 3) leaving.abort();
      await turn(2_048);
    }
  });
  const other = tokenising.byTurns("other", never, async () => "done");
  await expect(left).rejects.toThrow("cancelled");
  expect([await other, slices]).toEqual(["done", 3]);
  expect(await tokenising.byTurns("one", never, async () => "again")).toBe("again");
});

test("who leaves in the rest behind its last text is not ready", async () => {
  const tokenising = new Tokenising();
  const leaving = new AbortController();
  const ready = async () => "ready";
  // Token lists take no turn: 64 of them are a round.
  const before = Array.from({ length: 63 }, () => tokenising.byTurns("one", never, ready));
  const last = tokenising.byTurns("one", leaving.signal, ready);
  const behind = tokenising.byTurns("one", never, ready);
  setImmediate(() => leaving.abort());
  await expect(last).rejects.toThrow();
  expect(await Promise.all([...before, behind])).toHaveLength(64);
});
