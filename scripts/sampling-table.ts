/**
 * The table of docs/sampling.md: who does each parameter, the embedded engine's library or Covey's own
 * samplers, and what each kind of provider is sent. From the data that decides it when a request comes.
 */
import type { ProviderFiles } from "../src/catalog/providers.ts";
import { ChatRequest } from "../src/contract/chat.ts";
import { CompletionRequest } from "../src/contract/completions.ts";
import { extendedSampling } from "../src/contract/sampling.ts";
import { samplingOf, unsupportedNames } from "../src/engines/parameters.ts";
import { isNative } from "../src/engines/sampling/native.ts";

/** A value of each parameter that asks for something, with what it needs beside it. */
const ASKING: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  max_tokens: { max_tokens: 9 },
  stop: { stop: "x" },
  seed: { seed: 7 },
  temperature: { temperature: 0.7 },
  top_p: { top_p: 0.9 },
  frequency_penalty: { frequency_penalty: 1 },
  presence_penalty: { presence_penalty: 1 },
  logit_bias: { logit_bias: { 5: 1 } },
  logprobs: { logprobs: true },
  dynatemp_min: { dynatemp_min: 0.5, dynatemp_max: 1.5 },
  dynatemp_max: { dynatemp_max: 1.5 },
  dynatemp_exponent: { dynatemp_exponent: 2, dynatemp_max: 1.5 },
  top_k: { top_k: 40 },
  min_p: { min_p: 0.05 },
  top_a: { top_a: 0.1 },
  tfs: { tfs: 0.9 },
  typical_p: { typical_p: 0.9 },
  epsilon_cutoff: { epsilon_cutoff: 3 },
  eta_cutoff: { eta_cutoff: 3 },
  top_n_sigma: { top_n_sigma: 1 },
  smoothing_factor: { smoothing_factor: 0.3 },
  smoothing_curve: { smoothing_curve: 2, smoothing_factor: 0.3 },
  xtc_probability: { xtc_probability: 0.5 },
  xtc_threshold: { xtc_threshold: 0.2, xtc_probability: 0.5 },
  mirostat: { mirostat: 2 },
  mirostat_tau: { mirostat_tau: 4, mirostat: 2 },
  mirostat_eta: { mirostat_eta: 0.2, mirostat: 2 },
  repetition_penalty: { repetition_penalty: 1.1 },
  no_repeat_ngram_size: { no_repeat_ngram_size: 3 },
  dry_multiplier: { dry_multiplier: 0.8 },
  dry_base: { dry_base: 2, dry_multiplier: 0.8 },
  dry_allowed_length: { dry_allowed_length: 3, dry_multiplier: 0.8 },
  dry_range: { dry_range: 99, dry_multiplier: 0.8 },
  dry_sequence_breakers: { dry_sequence_breakers: [";"], dry_multiplier: 0.8 },
  min_tokens: { min_tokens: 3 },
  stop_token_ids: { stop_token_ids: [5] },
  allowed_token_ids: { allowed_token_ids: [5] },
  include_stop_str_in_output: { include_stop_str_in_output: true },
  ignore_eos: { ignore_eos: true },
  skip_special_tokens: { skip_special_tokens: false },
  guided_json: { guided_json: {} },
  guided_regex: { guided_regex: "a+" },
  guided_choice: { guided_choice: ["a"] },
  guided_grammar: { guided_grammar: 'root ::= "a"' },
  chat_template_kwargs: { chat_template_kwargs: { a: 1 } },
};

/** What is no sampler: the text is made, and the probabilities told, by Covey itself. */
const OUTSIDE = new Set(["max_tokens", "stop", "stop_token_ids", "include_stop_str_in_output"]);
const TEXT = new Set([...OUTSIDE, "skip_special_tokens", "chat_template_kwargs"]);
const CHOSEN_HERE = /^guided_|^logprobs$/;

/** Of mirostat's two names. */
const OTHER_NAMES = new Set(["mirostat_mode"]);

/** The table as Markdown. Throws where a parameter of the contract is missing here. */
export function samplingTable(providers: ProviderFiles): string {
  for (const name of Object.keys(extendedSampling))
    if (!(name in ASKING) && !OTHER_NAMES.has(name))
      throw new Error(`${name} is missing in scripts/sampling-table.ts`);
  const kinds = [...providers]
    .filter(([, { paths }]) => paths.chat !== false || paths.completions !== false)
    .toSorted(([a], [b]) => a.localeCompare(b));
  const head = ["parameter", "embedded", ...kinds.map(([id]) => id)];
  const rows = Object.entries(ASKING).map(([name, fields]) => [
    `\`${name}\``,
    embedded(name, fields),
    ...kinds.map(([, file]) => sent(file.parameters[name], name)),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function embedded(name: string, fields: Readonly<Record<string, unknown>>): string {
  const request = { model: "m", ...fields };
  if (unsupportedNames(request).includes(name)) return "dropped";
  const messages = [{ role: "user", content: "x" }];
  const chat = ChatRequest.safeParse({ ...request, messages });
  const parsed = chat.success ? chat.data : CompletionRequest.parse({ ...request, prompt: "x" });
  if (TEXT.has(name)) return "text";
  if (CHOSEN_HERE.test(name)) return "own";
  if (!isNative(samplingOf(parsed, 1, {}))) return "own";
  return name === "top_p" ? "native, own with a temperature" : "native";
}

function sent(known: string | false | undefined, name: string): string {
  if (known === false) return "–";
  if (known === undefined || known === name) return "=";
  return known.includes(":") ? "translated" : `\`${known}\``;
}
