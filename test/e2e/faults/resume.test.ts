import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { TOOL_NAMES, toolArguments } from "../../fake-said.ts";
import { piecesOf, storyFor } from "../../fake-story.ts";
import type { Dialect } from "../../fake-styles.ts";
import {
  expectAlive,
  expectBrokenOff,
  expectWhole,
  type Pair,
  type Seen,
  startPair,
} from "./pair.ts";

/** Cut wherever a stream can be cut, an answer is the one that would have come. */

const SAID = "What do quails do in winter?";
const streamed = { stream: true, stream_options: { include_usage: true } };
const WAYS = [{ temperature: 0 }, { temperature: 0.8 }] as const;
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("a story", () => {
  // Role, pieces, finish reason, usage, [DONE]: a cut after the finish reason loses the usage.
  const pieces = piecesOf(storyOfLength(12)).length;
  const cuts = upTo(pieces + 3).flatMap((n) => [`dies-${n}-story-12`, `halfevent-${n}-story-12`]);
  const pair = pairOf(cuts, { second: "story-12" });

  test.each(WAYS)(
    "cut at every event is the same answer, with %p",
    async (fields) => {
      await inBatches(cuts, async (model) => {
        const seen = await pair().ask(`both/${model}`, { ...streamed, ...fields }, { said: SAID });
        expectWhole(seen, storyOfLength(12));
        const usage = seen.stream?.chunks.at(-1)?.usage;
        expect([model, usage?.completion_tokens]).toEqual([model, pieces]);
      });
    },
    60_000,
  );

  test.each(WAYS)(
    "of a plain completion too, with %p",
    async (fields) => {
      await inBatches(cuts, async (model) => {
        const options = { prompt: "The quails of winter" };
        const seen = await pair().ask(`both/${model}`, { ...streamed, ...fields }, options);
        expectWhole(seen, storyFor(options.prompt, 12));
      });
    },
    60_000,
  );
});

describe("tool calls", () => {
  // More than it has events: those are not cut at all.
  const cuts = upTo(60).map((n) => `toolcut-${n}`);
  const pair = pairOf([...cuts, "toolstory"], { second: "toolstory" });

  test("cut at every event are the same calls, each with its first id", async () => {
    await inBatches(cuts, async (model) => {
      const seen = await pair().ask(`both/${model}`, streamed, { said: SAID });
      expect([model, seen.error, seen.finish]).toEqual([model, null, ["tool_calls"]]);
      expect(callsIn(seen)).toEqual(
        toolArguments(SAID).map((text, index) => ({ ids: 1, name: TOOL_NAMES[index] ?? "", text })),
      );
    });
  }, 60_000);
});

/** The calls put together: how many ids each has, and what it says. */
function callsIn({ stream }: Seen) {
  const calls: { ids: number; name: string; text: string }[] = [];
  for (const chunk of stream?.chunks ?? []) {
    for (const { delta } of chunk.choices) {
      for (const piece of Object(delta).tool_calls ?? []) {
        calls[piece.index] ??= { ids: 0, name: "", text: "" };
        const call = calls[piece.index];
        if (call === undefined) continue;
        if (typeof piece.id === "string") call.ids += 1;
        call.name += piece.function.name ?? "";
        call.text += piece.function.arguments ?? "";
      }
    }
  }
  return calls;
}

const DIALECTS: readonly Dialect[] = [
  "vllm",
  "sglang",
  "llamacpp",
  "openrouter",
  "tabbyapi",
  "ollama",
];

describe.each(DIALECTS)("between two of %s", (dialect) => {
  const faults = ["dies-9", "halfevent-14", "ends-20", "stalls-5", "inband-12", "trims-dies-16"];
  const env = { FIRST_KEY: "sk-first", SECOND_KEY: "sk-second" };
  const pair = pairOf(faults, { dialect, env });

  test.each(WAYS)(
    "a story goes on, with %p",
    async (fields) => {
      await inBatches(faults, async (model) => {
        const seen = await pair().ask(`both/${model}`, { ...streamed, ...fields });
        expectWhole(seen);
        expect(pair().attempts(seen)).toEqual([1, 1]);
      });
    },
    20_000,
  );
});

describe("a target that refuses the prefill that it is said to take", () => {
  const pair = pairOf(["stalls-7"], { second: "prefillrefused" });

  test("can still make the answer anew", async () => {
    expectWhole(await pair().ask("both/stalls-7", { ...streamed, temperature: 0 }));
  });

  test("is not asked for the rest over and over", async () => {
    const seen = await pair().ask("both/stalls-7", { ...streamed, temperature: 0.8 });
    expectBrokenOff(seen, "upstream_timeout");
    expect(pair().attempts(seen)).toEqual([1, 1]);
  });
});

describe("white space that a template takes off a prefill", () => {
  const cuts = upTo(30).map((n) => `dies-${n + 1}`);
  const pair = pairOf(cuts, { second: "trims-story-40" });

  test("is neither lost nor said twice", async () => {
    await inBatches(cuts, async (model) => {
      expectWhole(await pair().ask(`both/${model}`, { ...streamed, temperature: 0.8 }));
    });
  });
});

function storyOfLength(words: number): string {
  return storyFor(SAID, words);
}

/** A few at a time: quick, and not so many that time limits pass on a busy machine. */
async function inBatches(models: readonly string[], work: (model: string) => Promise<void>) {
  for (let i = 0; i < models.length; i += 8) await Promise.all(models.slice(i, i + 8).map(work));
}

/** A pair for the tests of one block. */
function pairOf(faults: readonly string[], options: Parameters<typeof startPair>[1]): () => Pair {
  let pair: Pair | null = null;
  const get = (): Pair => {
    if (pair === null) throw new Error("the pair has not started");
    return pair;
  };
  beforeAll(async () => {
    pair = await startPair(faults, options);
  });
  afterEach(() => expectAlive(get()));
  afterAll(() => get().close());
  return get;
}
