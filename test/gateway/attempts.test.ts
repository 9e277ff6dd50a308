import { expect, test } from "bun:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { fails, failure, inTurn, says } from "./acts.ts";
import { type Script, type StageOptions, stage } from "./stage.ts";
import { modelNamed, targetAt } from "./targets.ts";

/** How often each target is asked, and what the caller sees. */

const model = modelNamed("m");
const at = (...providers: string[]) => providers.map((each) => targetAt(each, {}, model));
const with_ = (scripts: Record<string, Script>, options: Partial<StageOptions> = {}) =>
  stage({ models: [[model, at(...Object.keys(scripts))]], scripts, ...options });
const counts = ({ asked }: ReturnType<typeof stage>) =>
  Object.fromEntries(Object.entries(asked).map(([id, all]) => [id, all.length]));
const tries = (seen: { record: { attempts: readonly object[] } | null }) =>
  (seen.record?.attempts ?? []).map((each) => {
    const { provider, how, error }: { provider?: string; how?: string; error?: string | null } =
      each;
    return `${provider} ${how} ${error ?? "answered"}`;
  });

test.each([
  ["broken", 3, 502],
  ["busy", 3, 502],
  ["key", 3, 502],
  ["silent", 1, 502],
  ["unsupported", 1, 502],
  ["context", 1, 502],
  ["request", 1, 502],
] as const)("a lone target that fails with '%s' is asked %i times", async (fault, attempts) => {
  for (const streams of [false, true]) {
    const play = with_({ a: fails(fault) });
    const seen = await play.ask({ stream: streams });
    expect(seen.status).toBe(502);
    expect(counts(play)).toEqual({ a: attempts });
    expect(tries(seen)).toHaveLength(attempts);
    expect(seen.record).toMatchObject({ status: "failed", costNanoUsd: 0, completionTokens: 0 });
    play.expectIdle();
  }
});

test.each(["broken", "busy", "key", "silent", "unsupported"] as const)(
  "another target answers at once for one that failed with '%s'",
  async (fault) => {
    for (const streams of [false, true]) {
      const play = with_({ a: fails(fault), b: says("Hello") });
      const seen = await play.ask({ stream: streams });
      expect([seen.status, counts(play)]).toEqual([200, { a: 1, b: 1 }]);
      expect(tries(seen)).toEqual(["a first upstream_error", "b retry answered"]);
      expect(seen.record).toMatchObject({ provider: "b", promptTokens: 10, completionTokens: 5 });
      play.expectIdle();
    }
  },
);

test("a bad request is asked of nobody else", async () => {
  const play = with_({ a: fails("request", undefined, "invalid_request"), b: says("Hello") });
  expect((await play.ask()).status).toBe(400);
  expect(counts(play)).toEqual({ a: 1, b: 0 });
});

test.each([
  ["request", "invalid_request"],
  ["context", "context_length_exceeded"],
  ["unsupported", "invalid_request"],
] as const)(
  "what an embedded engine would not have (%s) is refused, and no attempt",
  async (fault, kind) => {
    for (const streams of [false, true]) {
      const play = with_({ local: fails(fault, undefined, kind) });
      const seen = await play.ask({ stream: streams });
      expect(seen.status).toBe(400);
      expect(tries(seen)).toEqual([]);
      expect(seen.record).toMatchObject({ status: "refused", provider: null, error: kind });
      expect(play.logged.filter((line) => line.includes("attempt"))).toEqual([]);
      play.expectIdle();
    }
  },
);

test("what a model was asked and then refused is an attempt that failed", async () => {
  const play = with_({
    local: ({ context: { meter } }) => {
      meter.source = "counted";
      throw new GatewayError("invalid_request", "no");
    },
  });
  const seen = await play.ask();
  expect(tries(seen)).toEqual(["local first invalid_request"]);
  expect(seen.record).toMatchObject({ status: "failed", provider: "local" });
});

test("a request that is too long is asked of larger targets only", async () => {
  const size = (provider: string, contextLength: number | null) =>
    targetAt(provider, { contextLength }, model);
  const play = stage({
    models: [[model, [size("a", 4096), size("b", 4096), size("c", null), size("d", 8192)]]],
    scripts: {
      a: fails("context", undefined, "context_length_exceeded"),
      b: says("b"),
      c: says("c"),
      d: says("d"),
    },
  });
  expect((await play.ask()).status).toBe(200);
  expect(counts(play)).toEqual({ a: 1, b: 0, c: 0, d: 1 });
});

test("no more attempts than the rules allow, over all targets", async () => {
  const scripts = { a: fails("broken"), b: fails("broken"), c: fails("broken"), d: says("Hi") };
  const play = with_(scripts);
  expect((await play.ask()).status).toBe(502);
  expect(counts(play)).toEqual({ a: 1, b: 1, c: 1, d: 0 });
});

test("a wait that a target asks for is waited out, within the longest wait", async () => {
  const play = with_({ a: inTurn(fails("busy", 0.3, "overloaded"), says("Hello")) });
  const began = performance.now();
  expect((await play.ask()).status).toBe(200);
  expect(performance.now() - began).toBeGreaterThan(290);
  const long = with_({ a: inTurn(fails("busy", 7, "overloaded"), says("Hello")) });
  const seen = await long.ask();
  expect([seen.status, seen.headers["retry-after"]]).toEqual([503, "7"]);
  expect(counts(long)).toEqual({ a: 1 });
});

test("past the budget of time nobody else is asked", async () => {
  const slow: Script = async () => {
    await Bun.sleep(60);
    throw failure("broken");
  };
  const play = with_({ a: slow, b: says("Hello") }, { rules: { budgetMs: 30 } });
  expect((await play.ask()).status).toBe(502);
  expect(counts(play)).toEqual({ a: 1, b: 0 });
});

test("what is told is why a target failed, not that another one can't", async () => {
  const play = with_({
    a: fails("busy", 9, "overloaded"),
    b: fails("unsupported", undefined, "invalid_request"),
  });
  expect((await play.ask()).status).toBe(503);
});

test("a breaker that opens while a call waits to try again is open for it too", async () => {
  const play = with_(
    { a: fails("broken") },
    { breaker: { failures: 2, cooldownMs: 60_000 }, rules: { attempts: 2 } },
  );
  const waiting = play.ask();
  while (play.asked.a?.length !== 1) await Bun.sleep(1);
  await play.ask();
  expect(counts(play)).toEqual({ a: 2 });
  expect((await waiting).status).toBe(502);
  expect(counts(play)).toEqual({ a: 2 });
  play.expectIdle();
});

test("a half-open breaker lets one call through, and the others go elsewhere", async () => {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const play = with_(
    {
      a: inTurn(fails("broken"), async (asked) => {
        await gate;
        return says("a")(asked);
      }),
      b: says("b"),
    },
    { breaker: { failures: 1, cooldownMs: 1 } },
  );
  await play.ask();
  await Bun.sleep(5);
  const probe = play.ask();
  await Promise.all([play.ask(), play.ask(), play.ask()]);
  expect(counts(play)).toEqual({ a: 2, b: 4 });
  letGo();
  expect((await probe).status).toBe(200);
  await play.ask();
  expect(counts(play)).toEqual({ a: 3, b: 4 });
});

test("a probe whose client leaves makes room for the next", async () => {
  const leaving = new AbortController();
  const play = with_(
    {
      a: inTurn(
        fails("broken"),
        ({ context }) => {
          leaving.abort();
          return Promise.reject(context.signal.reason);
        },
        says("a"),
      ),
    },
    { breaker: { failures: 1, cooldownMs: 1 }, rules: { attempts: 1 } },
  );
  await play.ask();
  await Bun.sleep(5);
  await play.ask({}, { signal: leaving.signal });
  expect((await play.ask()).status).toBe(200);
  play.expectIdle();
});
