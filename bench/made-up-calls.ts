import { emptyRow, type Row } from "../src/store/projection/coalesce.ts";

/** Calls as a busy platform's might be: 200 keys and 30 models, few of them with most of the calls, days and nights. */

const KEYS = weighted(200, (n) => `key_${String(n).padStart(4, "0")}`, 1.1);
const MODELS = weighted(30, (n) => `maker-${n % 7}/model-${n}-${[8, 32, 70][n % 3]}b`, 0.9);
const PROVIDERS = ["local", "gpu-box", "featherless", "openrouter", "arli"];
const ENDPOINTS = [
  ["/v1/chat/completions", 0.8],
  ["/v1/embeddings", 0.12],
  ["/v1/completions", 0.08],
] as const;
const FAILURES = ["upstream_error", "upstream_timeout", "overloaded", "model_loading"] as const;
const REFUSALS = ["rate_limit_exceeded", "model_not_found", "invalid_request"] as const;

interface Weighted {
  readonly names: readonly string[];
  readonly cumulative: readonly number[];
}

/** The n-th of them has a share of 1 / n ** steepness. */
function weighted(count: number, name: (n: number) => string, steepness: number): Weighted {
  const weights = Array.from({ length: count }, (_, n) => 1 / (n + 1) ** steepness);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return {
    names: weights.map((_, n) => name(n)),
    cumulative: weights.map((weight) => {
      sum += weight / all;
      return sum;
    }),
  };
}

function pick({ names, cumulative }: Weighted, chance: number): number {
  let low = 0;
  let high = names.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cumulative[middle] ?? 1) < chance) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One call that arrived at `at` (Unix milliseconds) and has ended. `random` gives 0 to 1. */
export function madeUpCall(at: number, random: () => number): Row {
  const row = emptyRow(Bun.randomUUIDv7("hex", at), at);
  const model = pick(MODELS, random());
  row.key_id = KEYS.names[pick(KEYS, random())] ?? "";
  row.model = MODELS.names[model] ?? "";
  row.endpoint = endpointFor(random());
  row.stream = random() < 0.6 ? 1 : 0;
  const fate = random();
  if (fate < 0.02) return refused(row, random);
  // A model is at one provider or two.
  row.provider = PROVIDERS[(model + (random() < 0.3 ? 1 : 0)) % PROVIDERS.length] ?? "local";
  row.prompt_tokens = Math.floor(40 * 60 ** random());
  row.cached_tokens = random() < 0.3 ? Math.floor(row.prompt_tokens * random()) : 0;
  row.first_token_ms = 30 * 60 ** random();
  row.queue_ms = random() < 0.2 ? 500 * random() : 0;
  row.usage_source = row.provider === "local" ? "counted" : "upstream";
  row.status =
    fate < 0.95 ? "completed" : fate < 0.98 ? "failed" : fate < 0.997 ? "cancelled" : "interrupted";
  row.http_status = 200;
  if (row.status === "failed") {
    row.error = FAILURES[Math.floor(random() * FAILURES.length)] ?? null;
    row.http_status = row.error === "upstream_timeout" ? 504 : 502;
    row.first_token_ms = null;
  } else {
    row.completion_tokens = Math.floor(10 * 100 ** random());
    row.finish_reason = random() < 0.85 ? "stop" : "length";
  }
  row.total_ms = (row.first_token_ms ?? 200) + row.completion_tokens * (5 + 20 * random());
  row.ended_at = Math.round(at + row.total_ms);
  row.cost_nano_usd =
    row.provider === "local" ? 0 : row.prompt_tokens * 200 + row.completion_tokens * 600;
  row.tries = random() < 0.03 ? 2 : 1;
  row.attempts = attempts(row);
  return row;
}

function endpointFor(chance: number): string {
  let sum = 0;
  for (const [endpoint, share] of ENDPOINTS) {
    sum += share;
    if (chance < sum) return endpoint;
  }
  return ENDPOINTS[0][0];
}

function refused(row: Row, random: () => number): Row {
  row.status = "refused";
  row.error = REFUSALS[Math.floor(random() * REFUSALS.length)] ?? null;
  row.http_status = row.error === "rate_limit_exceeded" ? 429 : 404;
  row.ended_at = row.started_at;
  return row;
}

function attempts(row: Row): string {
  return JSON.stringify(
    Array.from({ length: row.tries }, (_, n) => ({
      provider: row.provider,
      upstream_id: row.model,
      model: row.model,
      start_ms: 0.5 + n * 40,
      took_ms: Math.round(row.total_ms ?? 0),
      error: n + 1 < row.tries ? "upstream_error" : row.error,
      how: n === 0 ? "first" : "retry",
      completion_tokens: row.completion_tokens,
      malformed_events: 0,
    })),
  );
}
