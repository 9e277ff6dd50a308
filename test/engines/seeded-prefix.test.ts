import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { CompletionChunkBody } from "../../src/contract/completions.ts";
import {
  completionRequest,
  contextFor,
  sharedBackend,
  TIMEOUT,
  target,
  tokensOf,
} from "./local-backend.ts";

setDefaultTimeout(4 * TIMEOUT);
beforeAll(() => sharedBackend().preload("tinyllama"));

const STORY =
  "The harbour master wrote down every ship that came in: its name, its flag, what it carried and where it was bound. " +
  "In the winter of the great storm he wrote for three days without sleep, and on the fourth he found a name in his own " +
  "hand that no captain had told him. ";

interface Asked {
  readonly cached: number;
  /** The tokens that came and what the model gave them, to the last bit. */
  readonly scores: unknown;
}

async function ask(prompt: readonly number[], fields: object, key: string): Promise<Asked> {
  const operation = sharedBackend().operations.completions;
  if (operation === undefined) throw new Error("the backend has no completions");
  const request = completionRequest(prompt, {
    max_tokens: 4,
    temperature: 1,
    logprobs: 3,
    ...fields,
  });
  const reply = await operation(target, request, contextFor(undefined, key));
  if (reply.kind !== "json") throw new Error("expected a whole answer");
  const { choices, usage } = CompletionChunkBody.parse(reply.body);
  return {
    cached: usage?.prompt_tokens_details?.cached_tokens ?? 0,
    scores: choices[0]?.logprobs,
  };
}

test("an answer with a seed goes on from an earlier one's prompt, and is to the last bit what it is alone", async () => {
  const story = [1, ...(await tokensOf(STORY))];
  const tail = await tokensOf(" He asked his daughter who had");
  /** The story's first tokens, then another word. */
  const cut = (length: number, rest = tail.slice(0, 1 + (length % 5))) => [
    ...story.slice(0, length),
    ...rest,
  ];
  // Longer, shorter and elsewhere; one goes on with what the model may have said.
  const prompts = [story.length, 61, 70, 23, 64, 17, story.length, 9, 40].map((n) => cut(n));
  const seeded: Asked[] = [];
  for (const [seed, prompt] of prompts.entries()) {
    // Those without a seed leave state behind that is not the same to the last bit.
    await ask(cut(30 + 7 * seed, tail), {}, "shared");
    seeded.push(await ask(prompt, { seed }, "shared"));
  }
  expect(seeded.filter(({ cached }) => cached >= 8).length).toBeGreaterThan(3);
  for (const { cached } of seeded) expect(cached % 8).toBe(0);
  for (const [seed, prompt] of prompts.entries()) {
    const alone = await ask(prompt, { seed }, `alone ${seed}`);
    expect(alone.cached).toBe(0);
    expect(seeded[seed]?.scores).toEqual(alone.scores);
  }
});

test("what was evaluated without a seed, or for the prompt's own scores, serves no seeded answer", async () => {
  const prompt = [1, ...(await tokensOf("What was read in another way before. ".repeat(6)))];
  for (const [key, fields] of Object.entries({ free: {}, echo: { seed: 1, echo: true } })) {
    await ask(prompt, fields, key);
    expect((await ask(prompt, { seed: 1 }, key)).cached).toBe(0);
    expect((await ask(prompt, { seed: 1 }, key)).cached).toBeGreaterThan(8);
  }
});
