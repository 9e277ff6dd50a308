import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startCovey, startStarterCovey, type TestCovey } from "../covey.ts";
import { chatBody, endedRow, FAKE_KEY, fakeConfig, post } from "../e2e/wire.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { type Job, type Result, runJobs } from "./jobs.ts";
import { prepareSdks, type Sdk } from "./prepare.ts";

/** OpenAI's own SDKs against the running server: what they parse, raise, try again and leave. */

const sdks = await prepareSdks();
const each = describe.each(sdks.map((sdk) => [sdk.name, sdk] as const));
const PATIENCE_MS = 60_000;
const KEY = "sk-admin-fedcba9876543210fedcba98";
const STARTER = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
/** What an SDK tries again is counted here, so Covey tries nothing again by itself. */
const ROUTING = "[routing]\nattempts = 1\nbreaker_failures = 0\n";
const TEXT = "How much wood would a woodchuck chuck";

describe.skipIf(sdks.length === 0)("with upstreams", () => {
  let upstream: FakeUpstream;
  let covey: TestCovey;
  let limited: TestCovey;

  beforeAll(async () => {
    upstream = fakeUpstream();
    const models = ["echo", "endless-20", "error-50", "status-400", "status-500"];
    const busy = ["flaky-503-1", "flaky-429-1", ...sdks.map(busyFor)];
    const toml = (more: string) => fakeConfig(upstream, [...models, ...busy], ROUTING + more);
    covey = await startCovey({ toml: toml(""), env: { FAKE_KEY, COVEY_ADMIN_KEY: KEY } });
    limited = await startCovey({
      toml: toml("[limits.anonymous]\nrequests_per_minute = 1\n"),
      env: { FAKE_KEY },
    });
    // The one call of the minute.
    await post(`${limited.url}/v1/chat/completions`, chatBody("echo", TEXT));
  });
  afterAll(async () => {
    await covey.close();
    await limited.close();
    await upstream.close();
  });

  each("%s", (_, sdk) => {
    const job = (name: Job["do"], model: string, more: Partial<Job> = {}): Job => {
      return { do: name, url: covey.url, key: KEY, model, text: TEXT, ...more };
    };

    test(
      "reads answers, streams, completions and models",
      async () => {
        const [chat, stream, one, two, pieces, models] = await oks(sdk, [
          job("chat", "echo"),
          job("stream", "echo"),
          job("completions", "echo", { prompt: TEXT }),
          job("completions", "echo", { prompt: ["a b", "c"] }),
          job("completionStream", "echo", { prompt: TEXT }),
          job("models", "echo"),
        ]);
        const said = { text: TEXT, finish: "stop", tokens: 7 };
        expect(chat).toMatchObject({ ...said, model: "echo", role: "assistant" });
        expect(Reflect.get(Object(chat), "request")).toBe(Reflect.get(Object(chat), "id"));
        expect(stream).toMatchObject(said);
        expect(one).toEqual([{ index: 0, text: TEXT, finish: "stop" }]);
        expect(two).toEqual([
          { index: 0, text: "a b", finish: "stop" },
          { index: 1, text: "c", finish: "stop" },
        ]);
        expect(pieces).toEqual({ text: TEXT });
        expect(models).toMatchObject({ one: "echo", owner: "fake" });
        expect(models).toHaveProperty("ids", expect.arrayContaining([STARTER, "echo"]));
      },
      PATIENCE_MS,
    );

    test(
      "raises the exception that stands for the error",
      async () => {
        const errors = await runJobs(sdk, [
          job("chat", "echo", { more: { n: 2 } }),
          job("stream", "echo", { more: { temperature: 3 } }),
          job("chat", "echo", { key: "sk-wrong-0123456789abcdef" }),
          job("models", "echo", { key: "sk-wrong-0123456789abcdef" }),
          job("chat", "none"),
          job("models", "none"),
          job("chat", "status-500"),
          job("stream", busyFor(sdk)),
          job("stream", "error-50"),
          job("chat", "echo", { url: limited.url }),
        ]);
        const api = { type: "api_error", param: null };
        const model = { type: "invalid_request_error", code: "model_not_found", param: "model" };
        const key = { type: "authentication_error", code: "invalid_api_key", shouldRetry: "false" };
        expect(errors.map(({ error }) => error ?? null)).toMatchObject([
          { class: "BadRequestError", status: 400, param: "n", code: null, shouldRetry: "false" },
          { class: "BadRequestError", status: 400, param: "temperature" },
          { class: "AuthenticationError", status: 401, ...key },
          { class: "AuthenticationError", status: 401, ...key },
          { class: "NotFoundError", status: 404, ...model },
          { class: "NotFoundError", status: 404, ...model },
          { class: "InternalServerError", status: 502, ...api, code: "upstream_error" },
          {
            class: "InternalServerError",
            status: 503,
            ...api,
            code: "overloaded",
            retryAfter: "3",
          },
          { class: "APIError", ...api, code: "upstream_error" },
          { class: "RateLimitError", status: 429, code: "rate_limit_exceeded" },
        ]);
        const wait = Number(errors.at(-1)?.error?.retryAfter);
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThanOrEqual(60);
      },
      PATIENCE_MS,
    );

    test(
      "tries again when and as often as it is told to",
      async () => {
        const texts = ["busy", "limited", "wrong", "down"].map((word) => `${word} ${sdk.name}`);
        const [busy = "", tooMany = "", wrong = "", down = ""] = texts;
        const results = await runJobs(sdk, [
          job("chat", "flaky-503-1", { text: busy, retries: 2 }),
          job("stream", "flaky-429-1", { text: tooMany, retries: 2 }),
          job("chat", "status-400", { text: wrong, retries: 2 }),
          job("chat", "status-500", { text: down, retries: 1 }),
        ]);
        expect(results).toMatchObject([
          { ok: { text: busy } },
          { ok: { text: tooMany } },
          { error: { class: "BadRequestError", shouldRetry: "false" } },
          { error: { class: "InternalServerError" } },
        ]);
        // Once too often for the upstream, then right; at once given up; tried again and given up.
        expect(texts.map((text) => upstream.asked(text))).toEqual([2, 2, 1, 2]);
        // It waited for the second that Retry-After asks for: by itself it would wait half of it.
        for (const { seconds } of results.slice(0, 2)) expect(seconds).toBeGreaterThanOrEqual(1);
      },
      PATIENCE_MS,
    );

    test(
      "leaves in the middle of a stream, and the log has what was generated",
      async () => {
        const before = upstream.cancelled;
        const [left] = await oks(sdk, [job("leave", "endless-20")]);
        expect(left).toMatchObject({ pieces: 3 });
        await upstream.untilCancelled(before + 1);
        const row = await endedRow(covey, String(Reflect.get(Object(left), "id")));
        expect(row).toMatchObject({ status: "cancelled", http_status: 499, key_id: "admin" });
        expect(row.completion_tokens).toBeGreaterThanOrEqual(3);
      },
      PATIENCE_MS,
    );
  });
});

describe.skipIf(sdks.length === 0)("with the embedded model", () => {
  let covey: TestCovey;
  beforeAll(async () => {
    covey = await startStarterCovey();
  });
  afterAll(() => covey.close());

  each("%s", (_, sdk) => {
    test(
      "reads answers, streams, completions and models, and its leaving ends the work",
      async () => {
        const more = { max_tokens: 8, temperature: 0 };
        const asked = { url: covey.url, key: "none", model: "tinyllama", text: TEXT, more };
        const prompt = "One, two, three,";
        const [chat, stream, one, two, pieces, models, left] = await oks(sdk, [
          { ...asked, do: "chat" },
          { ...asked, do: "stream" },
          { ...asked, do: "completions", prompt },
          { ...asked, do: "completions", prompt: [prompt, prompt] },
          { ...asked, do: "completionStream", prompt },
          { ...asked, do: "models" },
          { ...asked, do: "leave", text: "Count to a hundred." },
        ]);
        expect(chat).toMatchObject({ model: STARTER, finish: "length", tokens: 8 });
        expect(stream).toMatchObject({
          text: Reflect.get(Object(chat), "text"),
          finish: "length",
          tokens: 8,
        });
        const text = expect.stringContaining("four");
        expect(one).toMatchObject([{ index: 0, text, finish: "length" }]);
        expect(two).toMatchObject([
          { index: 0, text },
          { index: 1, text },
        ]);
        expect(pieces).toMatchObject({ text });
        expect(models).toMatchObject({ one: STARTER, owner: "TinyLlama" });
        const row = await endedRow(covey, String(Reflect.get(Object(left), "id")));
        expect(row).toMatchObject({ status: "cancelled", provider: "local" });
        expect(row.completion_tokens).toBeGreaterThanOrEqual(3);
        expect(row.completion_tokens).toBeLessThan(200);
      },
      PATIENCE_MS,
    );
  });
});

/** A model with too much to do, each SDK its own: it is left alone for the seconds it asks for. */
function busyFor(sdk: Sdk): string {
  return `status-503-${sdks.indexOf(sdk)}`;
}

/** The answers to jobs that must all go well. */
async function oks(sdk: Sdk, jobs: readonly Job[]): Promise<unknown[]> {
  const results: Result[] = await runJobs(sdk, jobs);
  expect(results.map(({ error }) => error ?? null)).toEqual(jobs.map(() => null));
  return results.map(({ ok }) => ok);
}
