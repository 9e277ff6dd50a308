import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import {
  expectAlive,
  expectBrokenOff,
  expectWhole,
  type Pair,
  startPair,
  targetsOf,
} from "./pair.ts";

/** Faults of a stream whose headers had to be sent before its first token had come. */

const FAULTS = [
  ["slow-5000", "upstream_timeout"],
  ["slowtoken-5000", "upstream_timeout"],
  ["status-500-150", "upstream_error"],
] as const;

let pair: Pair;
beforeAll(async () => {
  pair = await startPair(
    FAULTS.map(([model]) => model),
    { firstByteDelay: "50ms" },
  );
});
afterAll(() => pair.close());
afterEach(() => expectAlive(pair));

test.each(FAULTS)(
  "%s: another target answers, as if it had been the first",
  async (model, code) => {
    const seen = await pair.ask(`both/${model}`, { stream: true });
    expectWhole(seen);
    expect(targetsOf(seen)).toEqual([`first first ${code}`, "second retry answered"]);
    expect(seen.stream?.comments).toBeGreaterThan(0);
  },
);

test.each(FAULTS)("%s alone ends in an error inside the stream", async (model, code) => {
  const seen = await pair.ask(`alone/${model}`, { stream: true });
  expectBrokenOff(seen, code);
  expect(seen.text).toBe("");
});
