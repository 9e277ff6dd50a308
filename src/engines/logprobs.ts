import type { ChatLogprobs } from "../contract/chat.ts";
import type { CompletionLogprobs } from "../contract/completions.ts";
import type { ScoredToken } from "./protocol.ts";

/** Tokens' scores as a chat's choice has them. */
export function chatLogprobs(scores: readonly ScoredToken[]): ChatLogprobs {
  const content = scores.map(({ text, bytes, logprob, top }) => ({
    token: text,
    logprob: logprob ?? 0,
    bytes: [...bytes],
    top_logprobs: top.map((other) => ({
      token: other.text,
      logprob: other.logprob,
      bytes: [...other.bytes],
    })),
  }));
  return { content, refusal: null };
}

/**
 * Tokens' scores as a completion's choice has them. The token that was taken is among the `top_logprobs`
 * always, as one more where it is not one of the likeliest. `offset`: characters of the text before the
 * first token.
 */
export function completionLogprobs(
  scores: readonly ScoredToken[],
  offset: number,
): CompletionLogprobs {
  const offsets: number[] = [];
  let at = offset;
  for (const { shown, text } of scores) {
    offsets.push(at);
    if (shown) at += text.length;
  }
  return {
    text_offset: offsets,
    token_logprobs: scores.map(({ logprob }) => logprob),
    tokens: scores.map(({ text }) => text),
    top_logprobs: scores.map(({ text, logprob, top }) =>
      logprob === null
        ? null
        : Object.fromEntries([
            [text, logprob],
            ...top.map((other) => [other.text, other.logprob] as const),
          ]),
    ),
  };
}
