import { expect, test } from "bun:test";
import { Usage, usageOf } from "./usage.ts";

test("usage counts cached tokens as part of the prompt, under OpenAI's and Anthropic's names", () => {
  const usage = usageOf(15, 8, 5);
  expect(usage).toMatchObject({
    prompt_tokens: 15,
    completion_tokens: 8,
    total_tokens: 23,
    prompt_tokens_details: { cached_tokens: 5 },
    cache_read_input_tokens: 5,
    cache_creation_input_tokens: 0,
  });
  expect(Usage.parse(usage)).toEqual(usage);
});
