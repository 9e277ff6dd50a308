import { expect, test } from "bun:test";
import {
  type Claim,
  type Lease,
  type Limiter,
  UNLIMITED,
} from "../../src/gateway/limits/limits.ts";
import { MemoryLimiter } from "../../src/gateway/limits/memory.ts";
import { answer } from "../../src/gateway/pipeline.ts";
import { openAiVoice } from "../../src/gateway/voices/voice.ts";
import { hangs, says, works } from "./acts.ts";
import { type Stage, stage } from "./stage.ts";
import { modelNamed, targetAt } from "./targets.ts";

/** What admission is to a call: what it takes, what it gives back, and how a call ends that may not go on. */

const model = modelNamed("m");
const at = (provider: string) => [targetAt(provider, {}, model)];

const standing = (play: Stage, limits: object) =>
  play.gateway.limiter.standing("anonymous", { ...UNLIMITED, ...limits });

test("what a call used takes the place of what was set aside, whole, streamed or failed", async () => {
  const limits = { tokensPerMinute: 5000 };
  const play = stage({
    models: [[model, at("a")]],
    scripts: { a: says("hello", [30, 5]) },
    limits,
  });
  await play.ask();
  expect((await standing(play, limits)).tokens.used).toBe(35);
  await play.ask({ stream: true });
  expect((await standing(play, limits)).tokens.used).toBe(70);
  await play.ask({ model: "unknown" });
  expect((await standing(play, limits)).tokens.used).toBe(70);
  play.expectIdle();
});

const PRICE = { prompt: 1e-6, cached: null, completion: 1e-5, request: 0, image: null };

test("a whole answer whose client leaves counts with its answer in full, in the limits as in the log", async () => {
  const budget = { period: "day", nanoUsd: 1e9 } as const;
  const limits = { tokensPerMinute: 5000, budget };
  const targets = [targetAt("a", { price: PRICE }, model)];
  const play = stage({ models: [[model, targets]], scripts: { a: works }, limits });
  const leaving = new AbortController();
  const asking = play.ask({ max_tokens: 200 }, { signal: leaving.signal });
  while (play.asked.a?.length !== 1) await Bun.sleep(1);
  const { tokens: reserved } = await standing(play, limits);
  leaving.abort();
  await asking;
  const [record] = play.settled;
  const cost = (record?.promptTokens ?? 0) * 1000 + 200 * 10_000;
  expect(record).toMatchObject({ completionTokens: 200, costNanoUsd: cost });
  const used = (record?.promptTokens ?? 0) + 200;
  // Of the prompt the bound was set aside, and what it likely has stays.
  expect(used).toBeWithin(210, reserved.used);
  expect(await standing(play, limits)).toMatchObject({
    tokens: { used },
    budget: { spentNanoUsd: cost, reservedNanoUsd: 0 },
  });
  play.expectIdle();
});

test("without limits it counts with the answer's limit of the request, and without one with its prompt", async () => {
  for (const [input, tokens] of [
    [{ max_tokens: 200 }, 200],
    [{}, 0],
  ] as const) {
    const play = stage({ models: [[model, at("a")]], scripts: { a: works } });
    const leaving = new AbortController();
    const asking = play.ask(input, { signal: leaving.signal });
    while (play.asked.a?.length !== 1) await Bun.sleep(1);
    leaving.abort();
    await asking;
    expect(play.settled).toMatchObject([{ promptTokens: 10, completionTokens: tokens }]);
  }
});

test("the answer's limit that was admitted is the one that is asked for", async () => {
  const play = stage({
    models: [[model, at("a")]],
    scripts: { a: says("hello") },
    limits: { tokensPerMinute: 1000 },
  });
  await play.ask();
  await play.ask({ max_tokens: 7 });
  const [unsaid, said] = play.asked.a ?? [];
  expect(unsaid?.input.max_tokens).toBeGreaterThan(100);
  expect(unsaid?.input.max_tokens).toBeLessThan(1000);
  expect(said?.input.max_tokens).toBe(7);
});

test("while nobody can say whose key it is, the answer has nobody's limits", async () => {
  const play = stage({
    models: [[model, at("a")]],
    scripts: { a: says("hello") },
    limits: { requestsPerMinute: 9 },
  });
  const incoming = (headers: Record<string, string>) => ({
    endpoint: "/v1/chat/completions",
    voice: openAiVoice,
    headers: new Headers({ host: "localhost", ...headers }),
    signal: new AbortController().signal,
    body: () => Promise.resolve({ model: "m", messages: [{ role: "user", content: "Hi" }] }),
  });
  const { gateway } = play;
  const keys = { ...gateway.auth.keys, standing: "unknown" } as const;
  const blind = { ...gateway, auth: { ...gateway.auth, keys } };
  const known = await answer(blind, "chat", incoming({}));
  const unknown = await answer(blind, "chat", incoming({ authorization: "Bearer sk-covey-x" }));
  const told = [known, unknown].map(({ status, headers }) => [
    status,
    headers["x-ratelimit-limit"],
  ]);
  expect(told).toEqual([
    [200, "9"],
    [503, undefined],
  ]);
});

/** A limiter whose places can be taken away. */
class Losing extends MemoryLimiter {
  readonly ends: (() => void)[] = [];

  override async admit(claim: Claim): Promise<Lease> {
    const lease = await super.admit(claim);
    return { ...lease, onLost: (end) => void this.ends.push(end) };
  }
}

test("a call whose place can't be kept ends with an error, and gives back what it holds", async () => {
  for (const streams of [false, true]) {
    const limiter = new Losing({ spent: () => Promise.resolve(0) });
    const play = stage({ models: [[model, at("a")]], scripts: { a: hangs }, limiter });
    const asking = play.ask({ stream: streams });
    while (play.asked.a?.length !== 1) await Bun.sleep(1);
    for (const end of limiter.ends) end();
    const seen = await asking;
    expect(seen.done).toBe(false);
    expect(play.settled).toMatchObject([{ status: "failed", error: "unavailable" }]);
    play.expectIdle();
  }
});

test("a limiter that takes its time holds up nobody else, and a client that left meanwhile is not asked for", async () => {
  const opened = Promise.withResolvers<void>();
  const memory = new MemoryLimiter({ spent: () => Promise.resolve(0) });
  const limiter: Limiter = {
    admit: async (claim) => {
      await opened.promise;
      return await memory.admit(claim);
    },
    headers: (keyId, limits) => memory.headers(keyId, limits),
    tokensLeft: (keyId, limits) => memory.tokensLeft(keyId, limits),
    standing: (keyId, limits) => memory.standing(keyId, limits),
    state: () => memory.state(),
    drain: () => memory.drain(),
    close: () => memory.close(),
  };
  const play = stage({ models: [[model, at("a")]], scripts: { a: hangs }, limiter });
  const leaving = new AbortController();
  const asking = play.ask({}, { signal: leaving.signal });
  leaving.abort();
  opened.resolve();
  await asking;
  expect([play.asked.a?.length, play.settled[0]?.status]).toEqual([0, "cancelled"]);
  play.expectIdle();
});
