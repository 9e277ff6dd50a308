/** What servers say of why they stopped, by what it means. All in lower case. */
const LENGTH = new Set([
  ...["length", "max_tokens", "max_length", "max_new_tokens", "max_output_tokens", "token_limit"],
  ...["model_length", "model_context_window_exceeded"],
]);
const FILTER = new Set([
  ...["content_filter", "content_filtered", "safety", "recitation", "blocklist", "refusal"],
  ...["prohibited_content", "sensitive"],
]);
/** The answer is not whole, whatever came of it. */
const FAILED = new Set([
  ...["error", "failed", "failure", "abort", "aborted", "cancel", "cancelled", "canceled"],
  ...["timeout", "engine_error", "internal_error", "model_error", "load", "unload"],
]);

export interface Said {
  /** Tool calls were part of the choice. */
  readonly calls: boolean;
  /** The deprecated `function_call` was. */
  readonly functionCall: boolean;
  readonly chat: boolean;
}

/**
 * OpenAI's word for a finish reason; null when there is none yet; `failed` when it says that the
 * answer broke off. One that nobody knows is `stop`. Calls that came are `tool_calls` also where
 * the server says `stop`: clients look at the reason to know that they must run them.
 */
export function finishReason(reason: unknown, said: Said): string | "failed" | null {
  if (typeof reason !== "string" || reason === "") return null;
  const word = reason.toLowerCase();
  if (LENGTH.has(word)) return "length";
  if (FILTER.has(word)) return "content_filter";
  if (FAILED.has(word)) return "failed";
  if (!said.chat) return "stop";
  if (said.calls) return "tool_calls";
  return said.functionCall ? "function_call" : "stop";
}
