import { expect, test } from "bun:test";
import { GatewayError } from "../contract/errors.ts";
import { FairQueue } from "./queue.ts";

const never = new AbortController().signal;

/** A queue with its one place taken, and the requests that got a place since, in order. */
async function taken(maxWaiting: number) {
  const queue = new FairQueue(1, maxWaiting, (waiting) => waiting * 2);
  const order: string[] = [];
  const release = await queue.acquire({ keyId: "first", signal: never });
  const wait = (keyId: string, name: string, signal: AbortSignal = never) =>
    queue.acquire({ keyId, signal }).then((done) => {
      order.push(name);
      done();
    });
  return { queue, order, release, wait };
}

test("keys take turns, whatever the length of their lines", async () => {
  const { queue, order, release, wait } = await taken(10);
  const all = [wait("a", "a1"), wait("a", "a2"), wait("a", "a3"), wait("b", "b1"), wait("c", "c1")];
  release();
  await Promise.all(all);
  expect(order).toEqual(["a1", "b1", "c1", "a2", "a3"]);
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test("a full line refuses with an estimate of when to come back", async () => {
  const { queue, release, wait } = await taken(2);
  const all = [wait("a", "a1"), wait("a", "a2")];
  const refused = await queue.acquire({ keyId: "a", signal: never }).catch((error) => error);
  expect(refused).toBeInstanceOf(GatewayError);
  expect([refused.kind, refused.retryAfter]).toEqual(["overloaded", 4]);
  release();
  await Promise.all(all);
});

test("a key that fills the line makes room for others, and only for those that have fewer waiting", async () => {
  const { queue, order, release, wait } = await taken(4);
  const refused: string[] = [];
  const enter = (keyId: string, name: string) =>
    wait(keyId, name).catch((error) => refused.push(`${name} ${error.kind}`));
  const all = ["f1", "f2", "f3", "f4"].map((name) => enter("flood", name));
  all.push(enter("a", "a1"), enter("b", "b1"), enter("flood", "f5"), enter("a", "a2"));
  await Bun.sleep(0);
  expect(refused.toSorted()).toEqual([
    "a2 overloaded",
    "f3 overloaded",
    "f4 overloaded",
    "f5 overloaded",
  ]);
  expect(queue.waiting).toBe(4);
  release();
  await Promise.all(all);
  expect(order).toEqual(["f1", "a1", "b1", "f2"]);
});

test("a further part of an admitted request may wait past the bound", async () => {
  const { queue, release } = await taken(0);
  const part = queue.acquire({ keyId: "a", signal: never, admitted: true });
  release();
  (await part)();
  expect(queue.running).toBe(0);
});

test("a request that is aborted leaves the line at once and takes no place", async () => {
  const { queue, order, release, wait } = await taken(10);
  const controller = new AbortController();
  const aborted = wait("a", "gone", controller.signal).catch((error) => error.kind);
  const stays = wait("a", "stays");
  controller.abort();
  expect(await aborted).toBe("client_closed");
  expect(queue.waiting).toBe(1);
  release();
  await stays;
  expect(order).toEqual(["stays"]);
});

test("giving a place back twice frees it once", async () => {
  const { queue, release } = await taken(10);
  release();
  release();
  expect(queue.running).toBe(0);
});

test("with a share a key leaves places for others, however many it asks for, and all are used by turns", async () => {
  const queue = new FairQueue(8, 100, () => 1, "full", 1);
  const held: Record<string, (() => void)[]> = {};
  const enter = (keyId: string) =>
    void queue.acquire({ keyId, signal: never }).then((done) => {
      const own = held[keyId] ?? [];
      held[keyId] = own;
      own.push(done);
    });
  const running = async () => {
    await Bun.sleep(0);
    return Object.fromEntries(Object.entries(held).map(([keyId, own]) => [keyId, own.length]));
  };
  for (let n = 0; n < 20; n++) enter("a");
  expect(await running()).toEqual({ a: 4 });
  for (let n = 0; n < 20; n++) enter("b");
  expect(await running()).toEqual({ a: 4, b: 2 });
  enter("c");
  expect(await running()).toEqual({ a: 4, b: 2, c: 1 });
  held.a?.pop()?.();
  held.c?.pop()?.();
  // What is given back goes to those that have fewer.
  expect(await running()).toEqual({ a: 3, b: 3, c: 0 });
  for (let left = 41; left > 0; left = Object.values(await running()).reduce((a, b) => a + b, 0))
    for (const own of Object.values(held)) for (const done of own.splice(0)) done();
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});
