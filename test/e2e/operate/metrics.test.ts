import { afterEach, expect, test } from "bun:test";
import { parseMetrics, type Sample, sumOf } from "../../prometheus.ts";
import { type Pair, startPair } from "../faults/pair.ts";
import { chatBody, post } from "../wire.ts";

/** The metrics of a real server, after calls whose ends are known. */

const ADMIN = "an-admin-key-of-this-test";

let pair: Pair;
afterEach(() => pair.close());

const headers = { authorization: `Bearer ${ADMIN}` };

async function look(): Promise<Sample[]> {
  const response = await fetch(`${pair.covey.url}/metrics`, { headers });
  expect([response.status, response.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  return parseMetrics(await response.text());
}

test("calls, tokens, times and attempts are counted as they ended", async () => {
  pair = await startPair(["status-500", "story-5", "dies-5"], { env: { COVEY_ADMIN_KEY: ADMIN } });
  const whole = await pair.ask("healthy");
  const streamed = await pair.ask("healthy", { stream: true });
  await pair.ask("both/status-500");
  await pair.ask("twice/status-500");
  await pair.ask("both/dies-5", { stream: true });
  const samples = await look();
  const calls = (labels: Record<string, string>) => sumOf(samples, "covey_calls_total", labels);
  expect(calls({ model: "healthy", status: "completed", code: "200" })).toBe(2);
  expect(calls({ model: "both/status-500", provider: "second", status: "completed" })).toBe(1);
  expect(calls({ model: "twice/status-500", status: "failed", error: "upstream_error" })).toBe(1);
  expect(calls({ endpoint: "/v1/chat/completions" })).toBe(5);
  const tokens = (kind: string) =>
    sumOf(samples, "covey_tokens_total", { model: "healthy", provider: "first", kind });
  expect(tokens("completion")).toBe(whole.row.completion_tokens + streamed.row.completion_tokens);
  expect(tokens("prompt")).toBeGreaterThan(0);
  const times = { model: "healthy", provider: "first" };
  expect(sumOf(samples, "covey_first_token_seconds_count", times)).toBe(1);
  expect(sumOf(samples, "covey_call_seconds_count", times)).toBe(2);
  expect(sumOf(samples, "covey_queue_seconds_count", { provider: "first" })).toBeGreaterThan(1);
  const attempts = (labels: Record<string, string>) =>
    sumOf(samples, "covey_attempts_total", labels);
  expect(attempts({ provider: "first", outcome: "answered", how: "first" })).toBe(2);
  expect(attempts({ outcome: "upstream_error" })).toBeGreaterThanOrEqual(3);
  expect(attempts({ how: "retry" })).toBeGreaterThanOrEqual(2);
  expect(attempts({ how: "continue" }) + attempts({ how: "restart" })).toBe(1);
  expect(sumOf(samples, "covey_running_calls")).toBe(0);
  expect(sumOf(samples, "covey_running_attempts")).toBe(0);
  expect(sumOf(samples, "covey_journal_writable")).toBe(1);
  expect(sumOf(samples, "covey_journal_bytes")).toBeGreaterThan(0);
  expect(sumOf(samples, "covey_build_info")).toBe(1);
  expect(sumOf(samples, "process_resident_memory_bytes")).toBeGreaterThan(1e7);
  expect(sumOf(samples, "covey_limiter_mode", { mode: "memory" })).toBe(1);
  for (const outcome of ["kept", "dropped", "failed"]) {
    expect(samples).toContainEqual({ name: "covey_payloads_total", labels: { outcome }, value: 0 });
  }
  const quota = { kind: "images" };
  expect(sumOf(samples, "covey_payload_quota_bytes", quota)).toBe(1_000_000_000);
  expect(sumOf(samples, "covey_engine_models", { state: "cold" })).toBeGreaterThan(0);
});

test("a running call, an open breaker and a key at rest are seen, and told in the log once", async () => {
  pair = await startPair(["status-500", "status-429"], {
    env: { COVEY_ADMIN_KEY: ADMIN, FIRST_KEY: "sk-first-aaaaaaaaaaaaaaaaaaaaaaaa" },
    routing: "attempts = 3\nbreaker_failures = 2",
    models: [`{ id = "endless", upstream_id = "endless-20" }`],
  });
  for (let n = 0; n < 3; n++) await pair.ask("alone/status-500");
  for (let n = 0; n < 3; n++) await pair.ask("alone/status-429");
  const leaving = new AbortController();
  const running = await post(
    `${pair.covey.url}/v1/chat/completions`,
    chatBody("endless", "Go on", { stream: true }),
    { signal: leaving.signal, headers },
  );
  const samples = await look();
  leaving.abort();
  await running.body?.cancel().catch(() => undefined);
  expect(sumOf(samples, "covey_running_calls")).toBe(1);
  expect(sumOf(samples, "covey_running_attempts", { provider: "first" })).toBe(1);
  expect(sumOf(samples, "covey_breakers", { provider: "first", state: "open" })).toBe(1);
  expect(sumOf(samples, "covey_provider_keys", { provider: "first", state: "resting" })).toBe(1);
  const told = (text: string) => pair.covey.logged.filter((line) => line.includes(text));
  expect(told("a target failed several times in a row and is left alone")).toHaveLength(1);
  expect(told("a provider refused a key, which rests")).toHaveLength(1);
  expect(told("an attempt failed")[0]).toContain('"fault":"broken"');
});

test("a model whose calls were all refused has its name, whatever it was called by", async () => {
  pair = await startPair(["story-5"], { env: { COVEY_ADMIN_KEY: ADMIN } });
  // Its weights are not here.
  const body = chatBody("smollm3-3b", "Hi");
  const refused = await post(`${pair.covey.url}/v1/chat/completions`, body, { headers });
  expect(refused.status).toBe(404);
  const labels = { model: "HuggingFaceTB/SmolLM3-3B", status: "refused" };
  expect(sumOf(await look(), "covey_calls_total", labels)).toBe(1);
});

test("ten thousand made-up models and paths are a handful of series", async () => {
  pair = await startPair(["story-5"], {
    env: { COVEY_ADMIN_KEY: ADMIN },
  });
  await pair.ask("healthy");
  const before = (await look()).length;
  const one = async (n: number): Promise<void> => {
    const made = `made-up/${n}-"}\n${Math.random()}`;
    const response = await post(
      `${pair.covey.url}${n % 10 === 0 ? `/v1/x${n}` : "/v1/chat/completions"}`,
      chatBody(made, "Hi"),
      { headers },
    );
    expect(response.status).toBe(404);
    await response.arrayBuffer();
  };
  for (let from = 0; from < 10_000; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => one(from + n)));
  }
  const after = await look();
  expect(after.length - before).toBeLessThan(10);
  const refused = { status: "refused", model: "other" };
  expect(sumOf(after, "covey_calls_total", refused)).toBe(9_000);
  expect(sumOf(after, "covey_calls_total", { status: "refused", endpoint: "other" })).toBe(1_000);
}, 60_000);

test("the metrics want the admin key, unless the config makes them public", async () => {
  pair = await startPair(["story-5"], { env: { COVEY_ADMIN_KEY: ADMIN } });
  const bare = async () => (await fetch(`${pair.covey.url}/metrics`)).status;
  expect([401, 403]).toContain(await bare());
  pair.covey.rewrite("[metrics]\npublic = true\n");
  await pair.covey.app.reload();
  expect(await bare()).toBe(200);
});
