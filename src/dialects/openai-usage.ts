import { type Usage, usageOf } from "../contract/usage.ts";
import type { Meter } from "../types.ts";

/** An upstream's usage, its numbers checked and missing parts filled in; null when it has none. */
export function readUsage(value: unknown): Usage | null {
  if (typeof value !== "object" || value === null) return null;
  const prompt = count(value, "prompt_tokens");
  const completion = count(value, "completion_tokens") ?? 0;
  if (prompt === null) return null;
  const details = "prompt_tokens_details" in value ? value.prompt_tokens_details : null;
  const cached = count(details, "cached_tokens") ?? count(value, "cache_read_input_tokens") ?? 0;
  return usageOf(prompt, completion, Math.min(cached, prompt));
}

function count(value: unknown, name: string): number | null {
  if (typeof value !== "object" || value === null) return null;
  const found = (value as Record<string, unknown>)[name];
  return typeof found === "number" && Number.isInteger(found) && found >= 0 ? found : null;
}

/** The upstream's own count replaces whatever was estimated. */
export function meterUsage(meter: Meter, usage: Usage | null): void {
  if (usage === null) return;
  meter.promptTokens = usage.prompt_tokens;
  meter.completionTokens = usage.completion_tokens;
  meter.cachedTokens = usage.prompt_tokens_details?.cached_tokens ?? 0;
  meter.source = "upstream";
}
