import { expect, test } from "bun:test";
import { CompletionRequest } from "../contract/completions.ts";
import { refuseForeignTokens } from "./foreign-tokens.ts";
import { samplingOf } from "./parameters.ts";

const refuse = (tokens: readonly number[], fields: object = {}, param = "prompt") =>
  refuseForeignTokens(
    {
      prompt: { kind: "tokens", tokens },
      sampling: samplingOf(CompletionRequest.parse({ model: "m", prompt: "", ...fields }), 1, {}),
    },
    param,
    { vocabularySize: 100 },
  );

test("a number that is no token is refused with its place", () => {
  const named = { logit_bias: { 99: 1 }, stop_token_ids: [0], allowed_token_ids: [7, 99] };
  expect(() => refuse([0, 99], named)).not.toThrow();
  const cases = [
    ["prompt[1][2]", [1, 2, 100], {}, "prompt[1]"],
    ["logit_bias.999", [1], { logit_bias: { 5: 1, 999: 1 } }, "prompt"],
    ["stop_token_ids[1]", [1], { stop_token_ids: [2, 100] }, "prompt"],
    ["allowed_token_ids[0]", [1], { allowed_token_ids: [100] }, "prompt"],
  ] as const;
  for (const [param, tokens, fields, from] of cases)
    expect(() => refuse(tokens, fields, from)).toThrow(
      expect.objectContaining({
        kind: "invalid_request",
        param,
        message: expect.stringContaining("is not a token of this model: its vocabulary has 100."),
      }),
    );
});
