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
  const refused = await queue.acquire({ keyId: "b", signal: never }).catch((error) => error);
  expect(refused).toBeInstanceOf(GatewayError);
  expect([refused.kind, refused.retryAfter]).toEqual(["overloaded", 4]);
  release();
  await Promise.all(all);
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
