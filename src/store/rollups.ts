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
  "failed",
] as const;

/** How a call ends that counts as failed. A client that left is none of them. */
export const FAILED: readonly string[] = ["failed", "interrupted", "refused"];

/** What calls are added up by, besides the span; each call is in each of them once. The one with the fewest rows first. */
const DIMENSIONS_OF = {
  all: [],
  endpoint: ["endpoint"],
  provider: ["provider"],
  errors: ["status", "error"],
  model: ["model"],
  kinds: ["provider", "endpoint", "status", "error"],
  key: ["key_id"],
  keys: ["key_id", "status", "error"],
  models: ["model", "provider", "endpoint", "status", "error"],
  callers: ["key_id", "provider", "endpoint"],
  uses: ["key_id", "model"],
  each: DIMENSIONS,
} as const satisfies Readonly<Record<string, readonly Dimension[]>>;

export type Cut = keyof typeof DIMENSIONS_OF;

/** The dimensions of a cut, in the order in which its rows lie. The others are '' in it. */
export const CUTS: Readonly<Record<Cut, readonly Dimension[]>> = DIMENSIONS_OF;

const ALL_CUTS: readonly Cut[] = [
  "all",
  "endpoint",
  "provider",
  "errors",
  "model",
  "kinds",
  "key",
  "keys",
  "models",
  "callers",
  "uses",
  "each",
];

/** The cuts of each span, the smallest first. A time in minutes is a day at most, and has few rows in any cut. */
export const CUTS_OF: Readonly<Record<Span, readonly Cut[]>> = {
  minutes: ["all", "endpoint", "provider", "errors", "model", "key", "models", "each"],
  hours: ALL_CUTS,
  days: ALL_CUTS,
};

/** The smallest cut of a span that knows all of these dimensions, which a query filters or groups by. */
export function cutFor(span: Span, dimensions: Iterable<Dimension>): Cut {
  const wanted = [...dimensions];
  const knows = (cut: Cut) => wanted.every((dimension) => CUTS[cut].includes(dimension));
  return CUTS_OF[span].find(knows) ?? "each";
}

/** The columns of the histograms: time to the first token, total time, time in a queue. */
export const HISTOGRAMS = {
  first_token: bucketColumns("f"),
  total: bucketColumns("t"),
  queue: bucketColumns("q"),
} as const;
