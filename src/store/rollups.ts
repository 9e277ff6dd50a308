import { bucketColumns } from "./histogram.ts";

/** The tables of what calls add up to, and how long one row's span is, in milliseconds. */
export const SPANS = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
export type Span = keyof typeof SPANS;

/** What a rollup is by. '' stands for none. */
export const DIMENSIONS = ["key_id", "model", "provider", "endpoint", "status", "error"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** What a rollup adds up: counts, billionths of a US dollar, and milliseconds. */
export const SUMS = [
  "calls",
  "prompt_tokens",
  "completion_tokens",
  "cached_tokens",
  "cost_nano_usd",
  "attempts",
  "first_token_ms",
  "total_ms",
  "queue_ms",
] as const;

export type Cut = "each" | "models" | "keys";

/**
 * Every call is in every cut once, and a cut leaves some dimensions out, so that it has fewer rows. In `models`
 * all keys are added up, in `keys` everything but key and status.
 */
export const CUTS: Readonly<Record<Cut, readonly Dimension[]>> = {
  each: DIMENSIONS,
  models: ["model", "provider", "endpoint", "status", "error"],
  keys: ["key_id", "status"],
};

/** The smallest cut that knows all of these dimensions, which a query filters or groups by. */
export function cutFor(dimensions: Iterable<Dimension>): Cut {
  const wanted = [...dimensions];
  const knows = (cut: Cut) => wanted.every((dimension) => CUTS[cut].includes(dimension));
  if (wanted.includes("key_id")) return knows("keys") ? "keys" : "each";
  return "models";
}

/** The columns of the histograms: time to the first token, total time, time in a queue. */
export const HISTOGRAMS = {
  first_token: bucketColumns("f"),
  total: bucketColumns("t"),
  queue: bucketColumns("q"),
} as const;
