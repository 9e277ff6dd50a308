import { expect, test } from "bun:test";
import { type Claim, UNLIMITED } from "./limits.ts";
import { budgetSpent, neverFits, tooManyAtOnce, tooManyImages, tooManyTokens } from "./refusals.ts";

const LIMITS = { ...UNLIMITED, tokensPerMinute: 600, concurrency: 1, imageParallel: 1 };
const claim = (more: Partial<Claim>): Claim => ({
  ...{ keyId: "k", limits: LIMITS, tokens: 900, units: 1, image: false, costNanoUsd: null },
  ...more,
});
const budget = { nanoUsd: 1e9, period: "day" } as const;

test("what writes no answer is not told of max_tokens, but of what it sent", () => {
  const embeddings = claim({ answer: 0, likely: { tokens: 700, costNanoUsd: 0 } });
  const refusal = neverFits(embeddings);
  expect(refusal.param).toBe("input");
  expect(refusal.message).toContain("some 700 tokens");
  expect(tooManyTokens(embeddings, 1000).message).toContain("up to 900 tokens; this key");
  const image = claim({ answer: 0, image: true });
  for (const { message } of [
    refusal,
    tooManyTokens(embeddings, 1000),
    budgetSpent(embeddings, budget, 2e9, 1e9),
    budgetSpent(image, budget, 2e9, 1e9),
  ])
    expect(message).not.toMatch(/max_tokens|answer/);
});

test("what writes an answer is told that a shorter one may fit", () => {
  const chat = claim({ answer: 500 });
  expect(neverFits(chat)).toMatchObject({
    param: "max_tokens",
    message: expect.stringContaining("prompt and answer together, and this key may take 600"),
  });
  expect(budgetSpent(chat, budget, 2e9, 1e9).message).toContain("max_tokens");
});

test("one is one, and who has no key is told of no key", () => {
  expect(tooManyAtOnce(claim({})).message).toBe(
    "This key may have 1 request running at once. Wait for one to end.",
  );
  expect(tooManyImages(claim({ keyId: "anonymous" })).message).toBe(
    "Calls without a key together may have 1 request for images running at once. Wait for one to end.",
  );
  expect(neverFits(claim({ keyId: "anonymous" })).message).not.toContain("this key");
});
