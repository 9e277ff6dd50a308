import { own } from "../lib/own.ts";
import type { JsonObject } from "../types.ts";

/** Values at which a parameter does nothing: where it can't be sent, nothing is lost. */
const NEUTRAL: Record<string, readonly unknown[]> = {
  temperature: [1],
  top_p: [1],
  top_k: [0, -1],
  min_p: [0],
  top_a: [0],
  tfs: [1],
  typical_p: [1],
  eta_cutoff: [0],
  epsilon_cutoff: [0],
  top_n_sigma: [0, -1],
  repetition_penalty: [1],
  presence_penalty: [0],
  frequency_penalty: [0],
  no_repeat_ngram_size: [0],
  dry_multiplier: [0],
  xtc_probability: [0],
  mirostat: [0],
  dynatemp_max: [0],
  smoothing_factor: [0],
  smoothing_curve: [1],
  min_tokens: [0],
  ignore_eos: [false],
  include_stop_str_in_output: [false],
  skip_special_tokens: [true],
  logprobs: [false],
  top_logprobs: [0],
  tool_choice: ["auto"],
  parallel_tool_calls: [true],
  n: [1],
  best_of: [0, 1],
  echo: [false],
};

/** What does nothing by itself: only beside the other one. */
const PART_OF: Record<string, string> = {
  dry_base: "dry_multiplier",
  dry_allowed_length: "dry_multiplier",
  dry_range: "dry_multiplier",
  dry_sequence_breakers: "dry_multiplier",
  xtc_threshold: "xtc_probability",
  mirostat_tau: "mirostat",
  mirostat_eta: "mirostat",
  dynatemp_min: "dynatemp_max",
  dynatemp_exponent: "dynatemp_max",
  smoothing_curve: "smoothing_factor",
  top_logprobs: "logprobs",
};

/** Whether a parameter of this request changes nothing, so that leaving it out is no loss. */
export function isNeutral(request: JsonObject, name: string): boolean {
  const value = request[name];
  if (value === undefined || value === null) return true;
  if (own(NEUTRAL, name)?.includes(value) === true) return true;
  if (typeof value === "object" && Object.keys(value).length === 0) return true;
  const whole = own(PART_OF, name);
  return whole !== undefined && isNeutral(request, whole);
}
