import { expect, test } from "bun:test";
import { Patience } from "./patience.ts";

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

test("runs out when nothing happens, and says that this was why", async () => {
  const patience = new Patience(new AbortController().signal, 20);
  await aborted(patience.signal);
  expect(patience.expired).toBe(true);
});

test("does not run out while something happens", async () => {
  const patience = new Patience(new AbortController().signal, 10_000);
  for (let i = 0; i < 5; i++) {
    patience.wait(200);
    await Bun.sleep(20);
  }
  expect(patience.signal.aborted).toBe(false);
  patience.wait(10);
  await aborted(patience.signal);
  expect(patience.expired).toBe(true);
});

test("a rest of the reader's is not the source's silence", async () => {
  const patience = new Patience(new AbortController().signal, 20);
  patience.wait(10);
  patience.pause();
  await Bun.sleep(40);
  expect(patience.signal.aborted).toBe(false);
  patience.wait(10);
  await aborted(patience.signal);
  expect(patience.expired).toBe(true);
});

test("the outer signal ends it with its own reason", () => {
  const outer = new AbortController();
  const patience = new Patience(outer.signal, 10_000);
  outer.abort("the client left");
  expect([patience.signal.aborted, patience.signal.reason, patience.expired]).toEqual([
    true,
    "the client left",
    false,
  ]);
  patience.end();
});

test("an outer signal that is aborted already counts", () => {
  const patience = new Patience(AbortSignal.abort("gone"), 10_000);
  expect(patience.signal.reason).toBe("gone");
  patience.end();
});
