import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import {
  expectAlive,
  expectRefused,
  expectWhole,
  type Pair,
  type Seen,
  seenOf,
  startPair,
  targetsOf,
} from "./pair.ts";

/** Faults before anything of the answer was sent: another target answers, or the caller gets a status. */

const FAILED = [502, "upstream_error"] as const;
const SILENT = [504, "upstream_timeout"] as const;
const BUSY = [503, "overloaded"] as const;

type Told = readonly [status: number, code: string];

/** What the caller is told when there is nobody else, and how often the one that fails was asked. */
const FAULTS: readonly (readonly [model: string, told: Told, attempts: number])[] = [
  ["reset", FAILED, 3],
  ["status-500", FAILED, 3],
  ["status-502", FAILED, 3],
  ["html-502", FAILED, 3],
  ["not-json", FAILED, 3],
  ["wrongtype", FAILED, 3],
  ["dies-0", FAILED, 3],
  ["dies-1", FAILED, 3],
  ["halfevent-0", FAILED, 3],
  ["inband-0", FAILED, 3],
  ["inband-1", FAILED, 3],
  ["ends-0", FAILED, 3],
  ["flapping-1000", FAILED, 3],
  ["forever-503", BUSY, 3],
  // They say themselves that they won't be ready within the time that a call may wait.
  ["status-429", BUSY, 1],
  ["status-503", BUSY, 1],
  ["silence", SILENT, 1],
  ["slow-5000", SILENT, 1],
  ["slowtoken-5000", SILENT, 1],
  ["stalls-0", SILENT, 1],
  ["stallscomments-1", SILENT, 1],
];
/** Those that go away when it is asked once more. */
const PASSING = ["once-500", "once-503", "cold-503", "flapping-2"];

let pair: Pair;
/**
 * All under way at once, since most of their time is pauses between attempts. But for those that say
 * that they are busy: these are let rest by other calls too.
 */
const alone = new Map<string, Promise<Seen>>();
beforeAll(async () => {
  pair = await startPair([...FAULTS.map(([model]) => model), ...PASSING]);
  for (const [model, told] of FAULTS) {
    for (const stream of told === BUSY ? [] : [false, true]) {
      alone.set(`${model} ${stream}`, pair.ask(`alone/${model}`, { stream }));
    }
  }
});
afterAll(() => pair.close());
afterEach(() => expectAlive(pair));

test.each(FAULTS)(
  "%s: another target answers, and the first is asked once",
  async (model, told) => {
    for (const stream of [false, true]) {
      const seen = await pair.ask(`both/${model}`, { stream });
      expectWhole(seen);
      expect(seen.row).toMatchObject({ provider: "second", resumed: 0 });
      expect(seen.tookMs).toBeLessThan(3000);
      const [first, second] = pair.attempts(seen);
      // One that says that it is busy is not asked by the next call either, as long as another can answer.
      if (told === BUSY && stream && first === 0) continue;
      expect([first, second]).toEqual([1, 1]);
      expect(targetsOf(seen)).toEqual([`first first ${told[1]}`, "second retry answered"]);
    }
  },
);

test.each(FAULTS)("%s alone is told as %p after %i attempts", async (model, told, attempts) => {
  for (const stream of told === BUSY ? [false] : [false, true]) {
    const seen =
      told === BUSY
        ? await pair.ask(`alone/${model}`, { stream })
        : await seenOf(alone, `${model} ${stream}`);
    expectRefused(seen, ...told);
    expect(pair.attempts(seen)).toEqual([attempts, 0]);
    expect(seen.row.attempts).toHaveLength(attempts);
    expect(seen.row).toMatchObject({ completion_tokens: 0, provider: "first" });
    expect(seen.tookMs).toBeLessThan(8000);
  }
});

test.each(PASSING)("%s alone is asked again, and answers", async (model) => {
  for (const stream of [false, true]) {
    const seen = await pair.ask(`alone/${model}`, { stream });
    expectWhole(seen);
    expect(pair.attempts(seen)).toEqual([2, 0]);
    expect(targetsOf(seen)[1]).toBe("first retry answered");
  }
});

test("a time to wait is passed on when nobody else can answer", async () => {
  const after = async (model: string) => (await pair.ask(model)).headers.get("retry-after");
  expect([await after("twice/status-429"), await after("alone/status-503")]).toEqual(["7", "3"]);
});

test("targets that are all silent are asked once each", async () => {
  const seen = await pair.ask("twice/silence");
  expectRefused(seen, ...SILENT);
  expect(pair.attempts(seen)).toEqual([1, 1]);
});
