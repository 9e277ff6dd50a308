import { expect, test } from "bun:test";
import { DoneOnce } from "./llama/done-once.ts";
import { Turns } from "./turns.ts";

/** Time that passes as work is done, 10 ms a piece. */
function room() {
  let now = 0;
  const turns = new Turns(() => now);
  const order: string[] = [];
  function* work(name: string, pieces: number): Generator<void, string, void> {
    for (let piece = 0; piece < pieces; piece++) {
      if (piece > 0) yield;
      now += 10;
      order.push(name);
    }
    return name;
  }
  /** What else the thread has to do, a round of the event loop after another. */
  const others = (rounds: number) => {
    setImmediate(() => {
      order.push("other");
      if (rounds > 1) others(rounds - 1);
    });
  };
  return { turns, order, work, others };
}

const always = () => true;

test("others get a turn after each 20 ms of a long piece of work", async () => {
  const { turns, order, work, others } = room();
  others(3);
  expect(await turns.run(work("a", 6), always)).toBe("a");
  expect(order).toEqual(["a", "a", "other", "a", "a", "other", "a", "a"]);
});

test("many that begin at once take no more of a round together than one", async () => {
  const { turns, order, work, others } = room();
  others(4);
  await Promise.all(["a", "b", "c"].map((name) => turns.run(work(name, 2), always)));
  const rounds = order.join("").split("other");
  expect(rounds.map((round) => round.length <= 2)).toEqual(rounds.map(() => true));
  expect(order.filter((name) => name !== "other").toSorted()).toEqual([..."aabbcc"]);
});

test("what nobody wants any more is not gone on with", async () => {
  const { turns, order, work } = room();
  expect(await turns.run(work("a", 6), () => false)).toBe(null);
  expect(order).toEqual(["a", "a"]);
});

test("work that several need is done once, and its rest by those who still want it", async () => {
  const { turns, order, work } = room();
  let begun = 0;
  const shared = new DoneOnce(() => {
    begun += 1;
    return work("a", 8);
  });
  const wanted = { first: true };
  const first = turns.run(shared.result(), () => wanted.first);
  const second = turns.run(shared.result(), always);
  wanted.first = false;
  expect(await Promise.all([first, second])).toEqual([null, "a"]);
  expect(await turns.run(shared.result(), always)).toBe("a");
  expect(order.length).toBe(8);
  expect(begun).toBe(1);
});

test("work that fails is begun anew by the next who needs it", async () => {
  const { turns, work } = room();
  let begun = 0;
  const shared = new DoneOnce(() => {
    begun += 1;
    if (begun === 1) throw new Error("broken");
    return work("a", 1);
  });
  await expect(turns.run(shared.result(), always)).rejects.toThrow("broken");
  expect(await turns.run(shared.result(), always)).toBe("a");
});
