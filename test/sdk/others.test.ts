import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startCovey, startStarterCovey, type TestCovey } from "../covey.ts";
import { FAKE_KEY, fakeConfig } from "../e2e/wire.ts";
import { ABLE_JSON } from "../fake-able.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { type Job, runJobs } from "./jobs.ts";
import { prepareOthers, prepareSdks } from "./prepare.ts";

/** All SDKs, unchanged but for the base URL: what programs with tools, schemas and images get from Covey. */

const openAi = await prepareSdks();
const others = await prepareOthers();
const both = [...openAi, ...others].map((sdk) => [sdk.name, sdk] as const);
const PATIENCE_MS = 60_000;
const KEY = "sk-admin-fedcba9876543210fedcba98";
/** Covey tries nothing again by itself. */
const ROUTING = "[routing]\nattempts = 1\nbreaker_failures = 0\n";
const TEXT = "How much wood would a woodchuck chuck";

describe.skipIf(both.length === 0)("with an upstream", () => {
  let upstream: FakeUpstream;
  let covey: TestCovey;
  beforeAll(async () => {
    upstream = fakeUpstream();
    covey = await startCovey({
      toml: fakeConfig(upstream, ["able", "acme/able", "error-50", "status-500"], ROUTING),
      env: { FAKE_KEY, COVEY_ADMIN_KEY: KEY },
    });
  });
  afterAll(async () => {
    await covey.close();
    await upstream.close();
  });
  const job = (name: Job["do"], model = "able", more: Partial<Job> = {}): Job => {
    return { do: name, url: covey.url, key: KEY, model, text: TEXT, ...more };
  };

  describe.each(both)("%s", (_, sdk) => {
    test(
      "chats, streams, calls tools, keeps to a schema and shows images",
      async () => {
        const work = ["chat", "stream", "tools", "toolStream", "schema", "vision"] as const;
        const results = await runJobs(
          sdk,
          work.map((each) => job(each)),
        );
        expect(results.map(({ error }) => error ?? null)).toEqual(work.map(() => null));
        const [chat, stream, tools, toolStream, schema, vision] = results.map(({ ok }) => ok);
        const said = { text: TEXT, finish: "stop", tokens: 7 };
        expect(chat).toMatchObject(said);
        expect(stream).toMatchObject(said);
        expect(tools).toMatchObject({ text: "The tool said sunny in Paris" });
        for (const result of [tools, toolStream]) {
          expect(argumentsIn(result)).toEqual({ name: "weather", input: { city: "Paris" } });
        }
        expect(schema).toEqual(ABLE_JSON);
        expect(vision).toMatchObject({ text: "I see image/png of 70 bytes" });
      },
      PATIENCE_MS,
    );
  });

  describe.each(others.map((sdk) => [sdk.name, sdk] as const))("%s", (_, sdk) => {
    test(
      "raises what went wrong, also in the middle of a stream",
      async () => {
        const [unknown, key, refused, midway] = await runJobs(sdk, [
          job("chat", "none"),
          job("chat", "able", { key: "sk-wrong-0123456789abcdef" }),
          job("chat", "status-500"),
          job("stream", "error-50"),
        ]);
        const says = (text: string) => ({ message: expect.stringContaining(text) });
        expect(unknown?.error).toMatchObject({ status: 404, ...says("'none' does not exist") });
        expect(key?.error).toMatchObject({ status: 401, ...says("API key is not valid") });
        expect(refused?.error).toMatchObject({ status: 502, ...says("'fake' answered 500") });
        // Some raise it; the others hand it on in the stream, after the text that came before it.
        const { error, ok } = midway ?? {};
        if (error === undefined) expect(ok).toMatchObject({ text: "How much ", finish: "error" });
        expect(JSON.stringify(error ?? ok)).toContain("'fake'");
      },
      PATIENCE_MS,
    );
  });

  test.skipIf(others.length === 0)(
    "OpenRouter's SDK reads models, endpoints, providers, the key, the credits and a call's record",
    async () => {
      const [sdk] = others;
      if (sdk === undefined) throw new Error("no SDK");
      const model = "acme/able";
      const results = await runJobs(sdk, [
        job("lists", model),
        job("account", model),
        job("generation", model),
        job("generation", model, { base: "/openrouter/v1" }),
      ]);
      expect(results.map(({ error }) => error ?? null)).toEqual(Array(4).fill(null));
      const [lists, account, generation, again] = results.map(({ ok }) => ok);
      expect(lists).toMatchObject({
        counted: true,
        listed: true,
        one: model,
        endpoints: [{ tag: "fake", providerName: "fake" }],
        providers: expect.arrayContaining(["local", "fake"]),
      });
      expect(account).toMatchObject({ label: "admin", limit: null, totalCredits: 0 });
      const told = { same: true, model, providerName: "fake", tokensCompletion: 7 };
      for (const each of [generation, again]) {
        expect(each).toMatchObject({ ...told, finishReason: "stop", streamed: false });
      }
    },
    PATIENCE_MS,
  );
});

describe.skipIf(both.length === 0)("with the embedded model", () => {
  let covey: TestCovey;
  beforeAll(async () => {
    covey = await startStarterCovey();
  });
  afterAll(() => covey.close());

  test.each(openAi.map((sdk) => [sdk.name, sdk] as const))(
    "%s calls tools, whole and in a stream, and goes on with what they returned",
    async (_, sdk) => {
      const asked = { url: covey.url, key: "none", model: "tinyllama" };
      const text = "What is the weather in Paris?";
      const limits = { max_tokens: 48, temperature: 0, seed: 1 };
      const more = { ...limits, tool_choice: "required", parallel_tool_calls: false };
      const results = await runJobs(sdk, [
        { do: "tools", ...asked, text, more },
        { do: "toolStream", ...asked, text, more },
      ]);
      expect(results.map(({ error }) => error ?? null)).toEqual([null, null]);
      const [tools, stream] = results.map(({ ok }) => ok);
      const called = { name: "weather", input: { city: expect.stringContaining("Paris") } };
      for (const result of [tools, stream]) expect(argumentsIn(result)).toEqual(called);
    },
    PATIENCE_MS,
  );

  test.each(others.map((sdk) => [sdk.name, sdk] as const))(
    "%s gets an answer",
    async (_, sdk) => {
      const text = "Say hello.";
      const [chat] = await runJobs(sdk, [
        { do: "chat", url: covey.url, key: "none", model: "tinyllama", text, limit: 8 },
      ]);
      expect(chat?.error ?? null).toBeNull();
      expect(chat?.ok).toMatchObject({
        finish: "length",
        tokens: 8,
        text: expect.stringMatching(/\w/),
      });
    },
    PATIENCE_MS,
  );
});

/** The call, its arguments as an object, as text in the SDKs that leave them as they came. */
function argumentsIn(result: unknown): object {
  const called = Object(Reflect.get(Object(result), "called"));
  const { name, input } = called;
  return { name, input: input ?? JSON.parse(called.arguments) };
}
