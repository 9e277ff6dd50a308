import { expect, test } from "bun:test";
import { StepTurns } from "./step-turns.ts";

const never = new AbortController().signal;

/** Requests of so many steps of so many milliseconds each, all there from the beginning. */
async function run(
  requests: readonly { readonly owner: string; readonly steps: number; readonly ms: number }[],
): Promise<{ readonly steps: string; readonly ended: string }> {
  let now = 0;
  const turns = new StepTurns(() => now);
  let steps = "";
  let ended = "";
  const one = async ({ owner, steps: count, ms }: (typeof requests)[number]) => {
    const turn = await turns.take(owner, never);
    for (let step = 0; step < count; step++) {
      if (step > 0) await turn.next();
      steps += owner;
      now += ms;
    }
    ended += owner;
    turn.end();
  };
  await Promise.all(requests.map(one));
  return { steps, ended };
}

test("requests of the same steps take turns", async () => {
  const same = { steps: 4, ms: 100 };
  const { steps } = await run([
    { owner: "a", ...same },
    { owner: "b", ...same },
    { owner: "c", ...same },
  ]);
  expect(steps).toBe("abcabcabcabc");
});

test("a short one is done long before a long one that began before it", async () => {
  const { ended, steps } = await run([
    { owner: "a", steps: 50, ms: 3_000 },
    { owner: "b", steps: 2, ms: 3_000 },
  ]);
  expect(ended).toBe("ba");
  expect(steps.lastIndexOf("b")).toBeLessThan(5);
});

test("quick steps don't wait for a slow one each", async () => {
  const { steps } = await run([
    { owner: "a", steps: 10, ms: 3_000 },
    { owner: "b", steps: 100, ms: 100 },
  ]);
  // All hundred take as long as three or four of the others.
  expect(steps.slice(0, steps.lastIndexOf("b")).match(/a/g)?.length).toBeLessThan(6);
});

test("a turn is not over before a tenth of a second: many quick steps don't wait for as many slow ones", async () => {
  const quick = { steps: 10, ms: 5 };
  const { steps } = await run([
    { owner: "a", steps: 4, ms: 3_000 },
    { owner: "a", ...quick },
    { owner: "b", ...quick },
  ]);
  // Of the same key as well.
  expect(steps).toBe(`a${"b".repeat(10)}${"a".repeat(10)}aaa`);
});

test("a key with many requests delays another's by one step, and not by one for each", async () => {
  const many = Array.from({ length: 4 }, () => ({ owner: "a", steps: 3, ms: 100 }));
  const { steps } = await run([...many, { owner: "b", steps: 3, ms: 100 }]);
  expect(steps.slice(0, 6)).toBe("ababab");
});

test("who leaves while it waits rejects with the reason at once, and the others go on", async () => {
  const turns = new StepTurns(() => 0);
  const stop = new AbortController();
  const first = await turns.take("a", never);
  const waiting = turns.take("b", stop.signal);
  const reason = new Error("left");
  stop.abort(reason);
  expect(await waiting.catch((error: unknown) => error)).toBe(reason);
  const last = turns.take("c", never);
  first.end();
  first.end();
  (await last).end();
});

test("who left during its step has no other one", async () => {
  const turns = new StepTurns(() => 0);
  const stop = new AbortController();
  const turn = await turns.take("a", stop.signal);
  const reason = new Error("left");
  stop.abort(reason);
  expect(await turn.next().catch((error: unknown) => error)).toBe(reason);
  turn.end();
  (await turns.take("b", never)).end();
});

test("who left during a short turn has no other step either", async () => {
  const turns = new StepTurns(() => 0);
  const stop = new AbortController();
  const turn = await turns.take("a", stop.signal);
  const next = turn.next();
  const reason = new Error("left");
  stop.abort(reason);
  expect(await next.catch((error: unknown) => error)).toBe(reason);
  turn.end();
  (await turns.take("b", never)).end();
});

test("what has no steps stops nobody, and is charged to its owner all the same", async () => {
  let now = 0;
  const turns = new StepTurns(() => now);
  const file = Promise.withResolvers<void>();
  const beside = turns.beside("a", () => file.promise);
  const other = await turns.take("b", never);
  now += 1_000;
  await other.next();
  now += 9_000;
  file.resolve();
  await beside;
  let steps = "";
  const take = async (owner: string) => {
    const turn = await turns.take(owner, never);
    steps += owner;
    turn.end();
  };
  // The file took ten seconds, what the third did none.
  const both = [take("a"), take("c")];
  other.end();
  await Promise.all(both);
  expect(steps).toBe("ca");
});
