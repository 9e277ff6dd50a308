import { GatewayError } from "../contract/errors.ts";
import type { GenerateOptions, ReadyInfo } from "./protocol.ts";

/**
 * Refuses numbers that are no tokens of the model, with their places: those of the prompt, and those that
 * parameters name. `param` is where the prompt came from.
 */
export function refuseForeignTokens(
  { prompt, sampling }: Pick<GenerateOptions, "prompt" | "sampling">,
  param: string,
  { vocabularySize }: Pick<ReadyInfo, "vocabularySize">,
): void {
  const check = (tokens: readonly number[], place: (index: number, token: number) => string) => {
    // Few requests have any, and those of a prompt are many.
    const index = tokens.findIndex((token) => token < 0 || token >= vocabularySize);
    const token = tokens[index];
    if (token === undefined) return;
    throw new GatewayError(
      "invalid_request",
      `${token} is not a token of this model: its vocabulary has ${vocabularySize}.`,
      { param: place(index, token) },
    );
  };
  if (prompt.kind === "tokens") check(prompt.tokens, (index) => `${param}[${index}]`);
  const named = [...sampling.logitBias].map(([token]) => token);
  check(named, (_, token) => `logit_bias.${token}`);
  check(sampling.stopTokens, (index) => `stop_token_ids[${index}]`);
  check(sampling.allowedTokens ?? [], (index) => `allowed_token_ids[${index}]`);
}
