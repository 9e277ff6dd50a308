import { type Usage, usageOf } from "../contract/usage.ts";
import type { Meter } from "../types.ts";
import { type Fields, fieldsOf } from "./fields.ts";

/** More tokens than any call has: a number above it is a server's mistake. */
const ABSURD = 100_000_000;

/** An upstream's own count, as far as it can be believed; null for what it did not say. */
export interface ToldUsage {
  readonly prompt: number | null;
  readonly completion: number | null;
  readonly cached: number;
  readonly reasoning: number;
  /** US dollars it says it charged. */
  readonly cost: number | null;
}

/** What an upstream says it used; null when it says nothing that can be believed. */
export function readUsage(value: unknown): ToldUsage | null {
  const usage = fieldsOf(value);
  if (usage === null) return null;
  const prompt = count(usage, "prompt_tokens") ?? count(usage, "input_tokens");
  const completion = count(usage, "completion_tokens") ?? count(usage, "output_tokens");
  if (prompt === null && completion === null) return null;
  const promptDetails = fieldsOf(usage.prompt_tokens_details);
  const cached =
    count(promptDetails, "cached_tokens") ??
    count(usage, "cache_read_input_tokens") ??
    count(usage, "prompt_cache_hit_tokens") ??
    0;
  const details = fieldsOf(usage.completion_tokens_details);
  const reasoning = count(details, "reasoning_tokens") ?? count(usage, "reasoning_tokens") ?? 0;
  return {
    prompt,
    completion,
    cached: prompt === null ? 0 : Math.min(cached, prompt),
    reasoning: Math.min(reasoning, completion ?? 0),
    cost: costIn(usage),
  };
}

/** More than any call costs, in US dollars: a number above it is a server's mistake, or another unit. */
const ABSURD_COST = 10_000;
/** One tick of xAI's, in US dollars. */
const TICK = 1e-10;

/**
 * What it says it charged, under the names that providers have for it: OpenRouter and its like say
 * `cost`, and beside it what they paid with the caller's own key; DeepInfra `estimated_cost`, Perplexity
 * `cost.total_cost`, xAI `cost_in_usd_ticks`. An explicit zero is zero.
 */
export function costIn(usage: Fields): number | null {
  const cost = dollars(usage.cost) ?? dollars(fieldsOf(usage.cost)?.total_cost);
  if (cost !== null && usage.is_byok === true) {
    return cost + (dollars(fieldsOf(usage.cost_details)?.upstream_inference_cost) ?? 0);
  }
  const ticks = usage.cost_in_usd_ticks;
  return (
    cost ??
    dollars(usage.estimated_cost) ??
    (typeof ticks === "number" ? dollars(ticks * TICK) : null)
  );
}

function dollars(value: unknown): number | null {
  const amount = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof amount === "number" && amount >= 0 && amount <= ABSURD_COST ? amount : null;
}

function count(fields: Fields | null, name: string): number | null {
  const found = fields?.[name];
  return typeof found === "number" && Number.isInteger(found) && found >= 0 && found < ABSURD
    ? found
    : null;
}

/**
 * The usage of a call that has ended, and the meter with it. `counted` are the completion tokens that
 * were seen: they stand in for an upstream that tells none although text came.
 */
export function settleUsage(meter: Meter, told: ToldUsage | null, counted: number): Usage {
  // A prompt of no tokens is none that was counted.
  const prompt = told?.prompt || meter.promptTokens;
  const believed =
    told !== null && told.completion !== null && (told.completion > 0 || counted === 0);
  const completion = believed ? (told.completion ?? 0) : counted;
  meter.promptTokens = prompt;
  meter.completionTokens = completion;
  meter.cachedTokens = told?.cached ?? 0;
  meter.source = believed ? "upstream" : "estimated";
  meter.unseen = false;
  meter.providerCost = told?.cost ?? null;
  const usage = usageOf(prompt, completion, meter.cachedTokens);
  if (told === null) return usage;
  if (told.reasoning > 0 && usage.completion_tokens_details !== undefined) {
    usage.completion_tokens_details.reasoning_tokens = told.reasoning;
  }
  if (told.cost !== null) usage.cost = told.cost;
  return usage;
}
