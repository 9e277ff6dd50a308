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
 * always, as one more where it is not one of the likeliest. Tokens that are no whole characters, which the
 * text alone doesn't tell apart, are named by their bytes there, as OpenAI names them. `offset`: characters of the text before the
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
    top_logprobs: scores.map((score) => {
      const { logprob, top } = score;
      if (logprob === null) return null;
      const named = top.map((other) => [nameOf(other), other.logprob] as const);
      return Object.fromEntries([[nameOf(score), logprob], ...named]);
    }),
  };
}

/** `bytes:\xe2\x82` for a part of a character; a token's text otherwise. */
function nameOf({ text, bytes }: { readonly text: string; readonly bytes: readonly number[] }) {
  if (Buffer.from(text).equals(Uint8Array.from(bytes))) return text;
  return `bytes:${bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
}
