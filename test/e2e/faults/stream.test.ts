import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { storyFor } from "../../fake-upstream.ts";
import {
  briefly,
  expectAlive,
  expectBrokenOff,
  expectWhole,
  type Pair,
  startPair,
  storyOf,
  targetsOf,
} from "./pair.ts";

/** Faults after tokens were sent: the caller gets one unbroken answer, or one clean error. */

const FAULTS = [
  ["dies-7", "upstream_error"],
  ["halfevent-7", "upstream_error"],
  ["ends-7", "upstream_error"],
  ["inband-7", "upstream_error"],
  ["inbandchunk-7", "upstream_error"],
  ["stalls-7", "upstream_timeout"],
  ["stallscomments-7", "upstream_timeout"],
] as const;
/** Answers that are whole, though not as they should be. */
const ODD = [
  "nodone",
  "malformed-7",
  "nousage",
  "zerousage",
  "negativeusage",
  "wrongmodel",
  "slowtoken-200",
];
const WAYS = [
  ["made anew by another target", { temperature: 0 }, "restart"],
  ["gone on with by another target", { temperature: 0.8 }, "continue"],
] as const;

let pair: Pair;
beforeAll(async () => {
  const more = ["nofinish", "hugechunk-12", "dies-30-random-40", "dies-9-reasoning-40"];
  pair = await startPair([...FAULTS.map(([model]) => model), ...ODD, ...more]);
});
afterAll(() => pair.close());
afterEach(() => expectAlive(pair));

const streamed = { stream: true, stream_options: { include_usage: true } };

describe.each(WAYS)("an answer that is %s", (_, fields, how) => {
  test.each(FAULTS)("after %s is the one that would have come", async (model, code) => {
    const seen = await pair.ask(`both/${model}`, { ...streamed, ...fields });
    expectWhole(seen);
    expect(pair.attempts(seen)).toEqual([1, 1]);
    expect(targetsOf(seen)).toEqual([`first first ${code}`, `second ${how} answered`]);
    expect(seen.row).toMatchObject({ provider: "second", resumed: 1 });
    expect(seen.stream?.chunks.filter((chunk) => "usage" in chunk)).toHaveLength(1);
    expect(seen.tookMs).toBeLessThan(3000);
  });
});

test.each(FAULTS)(
  "%s with nobody else ends in an error, or in the whole answer",
  async (model, code) => {
    const seen = await pair.ask(`alone/${model}`, streamed);
    const [attempts] = pair.attempts(seen);
    expect(attempts).toBeLessThanOrEqual(8);
    if (seen.error === null) expectWhole(seen);
    else expectBrokenOff(seen, code);
    expect(seen.text.length).toBeGreaterThan(0);
    expect(seen.row.completion_tokens).toBeGreaterThan(0);
    expect(seen.tookMs).toBeLessThan(12_000);
  },
  15_000,
);

test.each(FAULTS.slice(-2))("%s: a silent target is not asked twice", async (model) => {
  const seen = await pair.ask(`alone/${model}`, streamed);
  expectBrokenOff(seen, "upstream_timeout");
  expect(pair.attempts(seen)).toEqual([1, 0]);
});

test.each(ODD)("%s is an answer all the same", async (model) => {
  for (const fields of [streamed, {}]) {
    if (model === "malformed-7" && fields !== streamed) continue;
    const seen = await pair.ask(`alone/${model}`, fields);
    expectWhole(seen);
    expect(pair.attempts(seen)).toEqual([1, 0]);
    const { prompt_tokens, completion_tokens } = seen.row;
    expect([prompt_tokens > 0, completion_tokens > 0]).toEqual([true, true]);
    const models = seen.stream?.chunks.map((chunk) => Object(chunk).model) ?? [seen.body?.model];
    expect(new Set(models)).toEqual(new Set([`alone/${model}`]));
  }
});

test("malformed events are counted", async () => {
  const seen = await pair.ask("alone/malformed-7", streamed);
  expect(seen.row.attempts).toMatchObject([{ malformed_events: 1 }]);
});

test("an end without a finish reason is no success, though [DONE] came", async () => {
  for (const stream of [true, false]) {
    const seen = await pair.ask("both/nofinish", { stream });
    expectWhole(seen);
    expect(pair.attempts(seen)).toEqual([1, 1]);
    const alone = await pair.ask("alone/nofinish", { stream });
    if (alone.status === 200) expectBrokenOff(alone, "upstream_error");
    else expect(alone.status).toBe(502);
  }
});

test("a very large event is passed on, or refused, and harms nobody", async () => {
  const seen = await pair.ask("alone/hugechunk-12", streamed);
  if (seen.error === null) expect(seen.text.length).toBeGreaterThan(12_000_000);
  else expect(seen.finish).toEqual([]);
  expect(seen.tookMs).toBeLessThan(8000);
}, 15_000);

test("an answer that can't be made anew keeps its beginning, and nothing stands twice", async () => {
  const seen = await pair.ask("both/dies-30-random-40", { ...streamed, temperature: 0.8 });
  // The second target tells another story, and says so rather than going on with this one.
  expect(seen.finish).toEqual(["stop"]);
  expect(seen.text).toEndWith("<<not-a-prefix>>");
  expect(seen.row.resumed).toBe(1);
});

test("an answer that died inside its reasoning is not gone on with as text", async () => {
  const seen = await pair.ask("both/dies-9-reasoning-40", { ...streamed, temperature: 0.8 });
  expect(seen.error).toBe("upstream_error");
  expect([seen.text, seen.finish]).toEqual(["", []]);
  expect(seen.stream?.done).toBe(false);
});

test("max_tokens holds for all parts of an answer together", async () => {
  for (const temperature of [0, 0.8]) {
    const seen = await pair.ask("both/dies-7", { ...streamed, temperature, max_tokens: 20 });
    expect(briefly(seen)).toMatchObject({ error: null, finish: ["length"] });
    expect(storyOf(seen)).toStartWith(seen.text);
    expect(seen.stream?.chunks.at(-1)?.usage?.completion_tokens).toBe(20);
    expect(seen.row.completion_tokens).toBe(20);
  }
});

test.each([0, 0.8])(
  "a stop string is found across the seam, and is not sent (%p)",
  async (temperature) => {
    const tries = Array.from({ length: 26 }, async (_, i) => {
      const said = `Stop at ${i}, with temperature ${temperature}.`;
      const story = storyFor(said, 40);
      const stop = [...story].slice(4 + i, 11 + i).join("");
      const fields = { ...streamed, temperature, stop: [stop] };
      const seen = await pair.ask("both/dies-7", fields, { said });
      expect(briefly(seen)).toMatchObject({ error: null, finish: ["stop"] });
      expect(seen.text).toBe(story.slice(0, story.indexOf(stop)));
    });
    await Promise.all(tries);
  },
);
