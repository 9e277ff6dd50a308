import { type ErrorDetails, type ErrorName, GatewayError } from "../contract/errors.ts";
import type { ProviderSettings } from "../types.ts";
import { readError, type Said, shown } from "./upstream-error.ts";

/** What an upstream answered instead of doing what it was asked. */
export interface Refused {
  /** HTTP's status; null for an error inside an answer that had begun well. */
  readonly status: number | null;
  /** The parsed body, or its text. */
  readonly body: unknown;
  /** Seconds it asks to wait; null when it does not say. */
  readonly retryAfter: number | null;
  /** It was asked to go on with a begun answer. */
  readonly prefill: boolean;
}

/** What a refusal means, and what of the key: nothing, it rests for this model, or for all. */
export interface Verdict {
  readonly error: GatewayError;
  readonly rests: "no" | "model" | "key";
  /** The key's, where it rests: seconds that were told, or null. */
  readonly retryAfter: number | null;
}

const CONTEXT_CODES = new Set([
  ...["context_length_exceeded", "exceed_context_size_error", "context_length_error"],
  ...["context_window_exceeded", "prompt_too_long"],
]);
/** What servers say of a prompt that is too long, read from their sources and their users' reports. */
const CONTEXT = new RegExp(
  [
    "maximum context length|context length is only|max(imum)?[_ ]model[_ ]len|max_seq_len",
    "exceed\\w* (the |this |its )?(\\w+'s |model'?s? )?(available |maximum |max )?context",
    "context (window|size|length|limit)\\w* (is |was |has been )?(exceed|too)",
    "(prompt|input|request|conversation|messages)( is| are|'s length is)? too (long|large)( for| to process|[:;,.]|$)",
    "longer than the (model'?s )?(maximum )?context|larger than the context|reduce the length of",
    "input (length|tokens?) .{0,60}exceeds|too many (input )?tokens",
  ].join("|"),
);
const FILTER_CODES = new Set([
  ...["content_filter", "content_policy_violation", "responsibleaipolicyviolation"],
  ...["data_inspection_failed", "moderation_blocked", "content_filtered"],
]);
const FILTER = /content (management )?policy|content[ _]filter|flagged (by|as|for)|moderation/;
/** It can't do what was asked, or does not know a field that another server may. */
const UNSUPPORTED = new RegExp(
  [
    "(does|do|is|are) not (yet )?support|not supported|unsupported|not implemented",
    "(unrecogni[sz]ed|unknown|unexpected)( \\w+)? (argument|parameter|field|keyword|property|option)",
    "(extra|additional) (inputs?|fields?|parameters?|propert\\w+) (are |is )?not (permitted|allowed)",
  ].join("|"),
);
/** OpenRouter's word for an account that has something left, but not for so long an answer. */
const TOO_DEAR = /fewer max_tokens|can only afford/;
const PREFILL =
  /prefill|(last|final) message|continue_final_message|add_generation_prompt|response_prefix|roles? must alternate|assistant (message|response|role)/;
const COLD = /cold|loading|warming|not (yet )?(ready|loaded)|starting|spinning|initiali[sz]ing/;
const MODEL = /model|deployment/;
/** Being cold is no failure: such a model is left alone this long, in seconds. */
const COLD_WAIT_S = 1;

/** What this refusal means for the caller, for the next attempt and for the key. Pure. */
export function judge({ id, file, keys }: ProviderSettings, refused: Refused): Verdict {
  const said = readError(refused.body, refused.status);
  const status = said.status ?? 500;
  const words = shown(said.message, keys);
  const what = refused.status === null ? "broke off its answer" : `answered ${status}`;
  const message = `'${id}' ${what}${words === "" ? "." : `: ${words}`}`;
  const fails = (kind: ErrorName, details: ErrorDetails): Verdict => ({
    error: new GatewayError(kind, message, details),
    rests: "no",
    retryAfter: null,
  });
  // Where it tells no time, how often and how soon to ask again is for the gateway to decide.
  const busy: ErrorDetails =
    refused.retryAfter === null
      ? { fault: "busy" }
      : { fault: "busy", retryAfter: refused.retryAfter };
  const cold = file.quirks.cold_status.includes(status) && (status >= 500 || COLD.test(said.text));
  if (cold || (status === 503 && COLD.test(said.text))) {
    return fails("model_loading", { ...busy, retryAfter: refused.retryAfter ?? COLD_WAIT_S });
  }
  if (tooLong(said, status)) return fails("context_length_exceeded", { fault: "context" });
  if (filtered(said, status)) return fails("content_filter", { fault: "request" });
  if (status === 401 || status === 402 || status === 403) {
    // Whatever it says of the key or the account is the operator's business.
    const told = `'${id}' refused the gateway (${status}).`;
    const isTooDear = status === 402 && TOO_DEAR.test(said.text);
    if (isTooDear || (status === 403 && isPage(refused.body))) {
      // A shorter answer may be taken, and a page is a firewall's that disliked this one prompt: what
      // one caller sends must not rest the key for all.
      const error = new GatewayError("upstream_error", told, { fault: "unsupported" });
      return { error, rests: "no", retryAfter: null };
    }
    const error = new GatewayError("upstream_error", told, { fault: "key" });
    return { error, rests: status === 401 ? "key" : "model", retryAfter: null };
  }
  if (status === 429) {
    const { error } = fails("overloaded", busy);
    // Its own upstream's limit (OpenRouter names it) is not this key's.
    const theirs = typeof said.metadata?.provider_name === "string";
    return { error, rests: theirs ? "no" : "model", retryAfter: refused.retryAfter };
  }
  if (status === 503 || status === 529) return fails("overloaded", busy);
  if (status === 408 || status === 504 || status === 524) {
    return fails("upstream_timeout", { fault: "broken" });
  }
  const client = status === 400 || status === 404 || status === 413 || status === 422;
  if (client && refused.prefill && PREFILL.test(said.text)) {
    return fails("upstream_error", { fault: "unsupported" });
  }
  if (status === 404) {
    return said.codes.includes("model_not_found") || MODEL.test(said.text)
      ? fails("model_not_found", { fault: "request", param: "model" })
      : fails("upstream_error", { fault: "unsupported" });
  }
  if (status === 405 || status === 501) return fails("upstream_error", { fault: "unsupported" });
  if (client) {
    const fault = UNSUPPORTED.test(said.text) ? "unsupported" : "request";
    const param = said.param === null ? null : shown(said.param, keys);
    return fails(status === 413 ? "body_too_large" : "invalid_request", { fault, param });
  }
  return fails("upstream_error", { fault: "broken" });
}

function isPage(body: unknown): boolean {
  return typeof body === "string" && body.trimStart().startsWith("<");
}

function tooLong({ codes, text }: Said, status: number): boolean {
  if (codes.some((code) => CONTEXT_CODES.has(code))) return true;
  // llama.cpp says some of it with 500.
  if (![400, 413, 422, 500].includes(status)) return false;
  return CONTEXT.test(text);
}

function filtered({ codes, text, metadata }: Said, status: number): boolean {
  if (codes.some((code) => FILTER_CODES.has(code))) return true;
  if (metadata?.flagged_input !== undefined) return true;
  return (status === 400 || status === 403 || status === 451) && FILTER.test(text);
}
