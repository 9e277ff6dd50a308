import { afterEach, beforeEach, expect, test } from "bun:test";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import {
  callIdOf,
  chatBody,
  endedRow,
  FAKE_KEY,
  fakeConfig,
  post,
  readStream,
  until,
} from "./wire.ts";

/** What a provider of the config is to its callers when it is silent, unreachable or has no key. */

let upstream: FakeUpstream;
let covey: TestCovey;
beforeEach(() => {
  upstream = fakeUpstream();
});
afterEach(async () => {
  await covey.close();
  await upstream.close();
});

const start = async (
  models: readonly string[],
  more = "",
  env: Record<string, string> = { FAKE_KEY },
) => {
  covey = await startCovey({ toml: `${fakeConfig(upstream, models)}${more}`, env });
};
const ask = (model: string, fields: object = {}) =>
  post(`${covey.url}/v1/chat/completions`, chatBody(model, "one two three", fields));

test("silence before the answer is a 504, and the upstream's work is cancelled", async () => {
  await start(["slow-30000"], 'first_byte_timeout = "300ms"\nanswer_timeout = "300ms"\n');
  for (const fields of [{}, { stream: true }]) {
    const answer = await ask("slow-30000", fields);
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ error: { code: "upstream_timeout" } });
    expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
      status: "failed",
      http_status: 504,
      error: "upstream_timeout",
    });
  }
});

test("silence inside a stream ends it with an error, and a reader that rests is not silence", async () => {
  await start(["gap-1000", "echo"], 'gap_timeout = "250ms"\n');
  const silent = await readStream(await ask("gap-1000", { stream: true }));
  expect(silent.done).toBe(false);
  expect(silent.chunks.at(-1)).toMatchObject({ error: { code: "upstream_timeout" } });

  const resting = await ask("echo", { stream: true });
  await Bun.sleep(600);
  expect(await readStream(resting)).toMatchObject({ text: "one two three", done: true });
});

test("an upstream that forgets to end after its finish reason has ended", async () => {
  await start(["forgets"], 'gap_timeout = "300ms"\n');
  const answer = await ask("forgets", { stream: true, stream_options: { include_usage: true } });
  const read = await readStream(answer);
  expect(read).toMatchObject({ text: "one two three", done: true });
  expect(read.chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
  expect(await endedRow(covey, callIdOf(answer))).toMatchObject({ status: "completed" });
});

test("without its key a provider is not asked at all", async () => {
  await start(["echo"], "", {});
  const answer = await ask("echo");
  expect(answer.status).toBe(404);
  const { error } = (await answer.json()) as { error: { message: string } };
  expect(error.message).toContain("FAKE_KEY is not set");
  expect(upstream.requests).toHaveLength(0);
  const list = (await (await fetch(`${covey.url}/v1/models`)).json()) as { data: { id: string }[] };
  expect(list.data.map(({ id }) => id)).not.toContain("echo");
});

test("a provider that could not be reached says why, and shows it in /health/ready", async () => {
  await start(["echo"]);
  const { url } = upstream;
  await upstream.close();
  const answer = await ask("echo");
  expect(answer.status).toBe(502);
  const { error } = (await answer.json()) as { error: { message: string } };
  expect(error.message).toMatch(/'fake' could not be reached.*\(\w+\)/);
  expect(error.message).not.toContain(url);
  const ready = (await (await fetch(`${covey.url}/health/ready`)).json()) as {
    models: { id: string; detail: string | null }[];
  };
  expect(ready.models.find(({ id }) => id === "echo")?.detail).toContain("could not be reached");
  // It never took the call, so the call used nothing.
  expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
    status: "failed",
    prompt_tokens: 0,
    usage_source: "none",
  });
});

test("a client that leaves says nothing about the provider", async () => {
  await start(["slow-30000"]);
  const impatient = new AbortController();
  const asked = post(`${covey.url}/v1/chat/completions`, chatBody("slow-30000", "one"), {
    signal: impatient.signal,
  }).catch(() => null);
  await until(() => (upstream.requests.length > 0 ? true : null), "the upstream was asked");
  impatient.abort();
  await asked;
  await upstream.untilCancelled(1);
  const ready = (await (await fetch(`${covey.url}/health/ready`)).json()) as {
    models: { id: string; detail: string | null }[];
  };
  expect(ready.models.find(({ id }) => id === "slow-30000")?.detail).toBeNull();
});

test("an upstream that tells no usage gets an estimate, told as one in the log", async () => {
  await start(["uncounted"]);
  const prompt_tokens = Math.ceil("one two three".length / 4);
  const whole = await ask("uncounted");
  expect(await whole.json()).toMatchObject({ usage: { prompt_tokens, completion_tokens: 4 } });
  const answer = await ask("uncounted", { stream: true, stream_options: { include_usage: true } });
  const { chunks } = await readStream(answer);
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens, completion_tokens: 3 },
  });
  for (const [id, completion_tokens] of [
    [callIdOf(whole), 4],
    [callIdOf(answer), 3],
  ] as const) {
    expect(await endedRow(covey, id)).toMatchObject({
      usage_source: "estimated",
      prompt_tokens,
      completion_tokens,
    });
  }
});
