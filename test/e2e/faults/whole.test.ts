import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
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

/** Faults inside an answer that does not stream: half of one is never given for a whole one. */

const FAULTS = [
  ["shortjson", 502, "upstream_error", 3],
  ["truncatedjson", 502, "upstream_error", 3],
  ["dies-3", 502, "upstream_error", 3],
  ["halfevent-3", 502, "upstream_error", 3],
  ["malformed-3", 502, "upstream_error", 3],
  ["nofinish", 502, "upstream_error", 3],
  ["ends-3", 502, "upstream_error", 3],
  ["inband-3", 502, "upstream_error", 3],
  ["inbandchunk-3", 502, "upstream_error", 3],
  ["stalls-3", 504, "upstream_timeout", 1],
] as const;

let pair: Pair;
/** All under way at once, since most of their time is pauses between attempts. */
let alone: ReadonlyMap<string, Promise<Seen>>;
beforeAll(async () => {
  pair = await startPair(FAULTS.map(([model]) => model));
  alone = new Map(FAULTS.map(([model]) => [model, pair.ask(`alone/${model}`)]));
});
afterAll(() => pair.close());
afterEach(() => expectAlive(pair));

describe("a whole answer", () => {
  test.each(FAULTS)("%s: another target answers", async (model, _, code) => {
    const seen = await pair.ask(`both/${model}`);
    expectWhole(seen);
    expect(pair.attempts(seen)).toEqual([1, 1]);
    expect(targetsOf(seen)).toEqual([`first first ${code}`, "second retry answered"]);
    expect(seen.body?.usage).toMatchObject({ completion_tokens: seen.row.completion_tokens });
    expect(seen.tookMs).toBeLessThan(4000);
  });

  test.each(FAULTS)("%s alone is %i", async (model, status, code, attempts) => {
    const seen = await seenOf(alone, model);
    expectRefused(seen, status, code);
    expect(pair.attempts(seen)).toEqual([attempts, 0]);
    expect(seen.tookMs).toBeLessThan(8000);
  });
});
