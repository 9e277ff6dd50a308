import { expect, test } from "bun:test";
import { fails, failure, hangs, says } from "./acts.ts";
import { type Script, type Stage, stage } from "./stage.ts";
import { modelNamed, targetAt } from "./targets.ts";

/** Providers that answer only so many calls at once, models to fall back to, and clients that leave. */

const model = modelNamed("m");
const at = (...providers: string[]) => providers.map((each) => targetAt(each, {}, model));

/** Answers when it is told to. */
function gated() {
  const waiting: (() => void)[] = [];
  const script: Script = (asked) =>
    new Promise((resolve) => waiting.push(() => resolve(says("Hello")(asked))));
  return { script, letGo: () => waiting.shift()?.(), begun: () => waiting.length };
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 4000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error("it never became so");
    await Bun.sleep(1);
  }
}

test("a full provider is passed over for another", async () => {
  const gate = gated();
  const play = stage({
    models: [[model, at("a", "b")]],
    scripts: { a: gate.script, b: says("b") },
    concurrency: { a: 1 },
  });
  const first = play.ask();
  await until(() => gate.begun() === 1);
  const second = await play.ask();
  expect(second.record?.attempts).toMatchObject([{ provider: "b", how: "first", error: null }]);
  gate.letGo();
  expect((await first).record?.provider).toBe("a");
  play.expectIdle();
});

test("a full provider that is the only one is waited for, in turn", async () => {
  const gate = gated();
  const play = stage({
    models: [[model, at("a")]],
    scripts: { a: gate.script },
    concurrency: { a: 1 },
  });
  const ended: number[] = [];
  const all = [0, 1, 2].map(async (n) => {
    const { status } = await play.ask();
    ended.push(n);
    return status;
  });
  for (let n = 0; n < 3; n++) {
    await until(() => gate.begun() === 1);
    expect(play.asked.a).toHaveLength(n + 1);
    gate.letGo();
  }
  expect(await Promise.all(all)).toEqual([200, 200, 200]);
  expect(ended).toEqual([0, 1, 2]);
  play.expectIdle();
});

test("after the longest wait a full provider is 503, and nothing is asked", async () => {
  const gate = gated();
  const play = stage({
    models: [[model, at("a")]],
    scripts: { a: gate.script },
    concurrency: { a: 1 },
    rules: { maxWaitMs: 50 },
  });
  const first = play.ask();
  await until(() => gate.begun() === 1);
  const second = await play.ask();
  expect([second.status, second.headers["retry-after"]]).toEqual([503, "1"]);
  expect(second.body).toMatchObject({ error: { code: "overloaded" } });
  expect(second.record).toMatchObject({ status: "failed", attempts: [] });
  gate.letGo();
  await first;
  play.expectIdle();
});

test("of several full providers the first that has a place answers", async () => {
  const [a, b] = [gated(), gated()];
  const play = stage({
    models: [[model, at("a", "b")]],
    scripts: { a: a.script, b: b.script },
    concurrency: { a: 1, b: 1 },
    rules: { maxWaitMs: 2000 },
  });
  const [first, second] = [play.ask(), play.ask()];
  await until(() => a.begun() + b.begun() === 2);
  const third = play.ask();
  b.letGo();
  await second;
  await until(() => b.begun() === 1);
  b.letGo();
  expect((await third).record?.provider).toBe("b");
  a.letGo();
  await first;
  play.expectIdle();
});

test("a target that waits out a pause of its own is asked when that ends, though another stays full", async () => {
  const gate = gated();
  let failed = false;
  const play = stage({
    models: [[model, at("a", "b")]],
    scripts: {
      a: gate.script,
      b: (asked) => {
        if (failed) return says("b")(asked);
        failed = true;
        throw failure("broken");
      },
    },
    concurrency: { a: 1 },
  });
  const first = play.ask();
  await until(() => gate.begun() === 1);
  expect((await play.ask()).record?.attempts).toMatchObject([
    { provider: "b", error: "upstream_error" },
    { provider: "b", error: null },
  ]);
  gate.letGo();
  await first;
  play.expectIdle();
});

const [big, other] = [modelNamed("big"), modelNamed("other")];
const fallbackStage = (a: Script, b: Script, contextFallback = {}): Stage =>
  stage({
    models: [
      [model, at("a")],
      [other, [targetAt("b", {}, other)]],
      [big, [targetAt("b", {}, big)]],
    ],
    scripts: { a, b },
    contextFallback,
  });

test("when a model can't answer, the next of `models` does, and the answer names it", async () => {
  const play = fallbackStage(fails("broken"), says("b"));
  const seen = await play.ask({ models: ["other"] });
  expect(seen.body).toMatchObject({ model: "other" });
  expect(seen.record?.attempts.map((each) => `${each.model} ${each.error}`)).toEqual([
    ...Array.from({ length: 3 }, () => "m upstream_error"),
    "other null",
  ]);
});

test("a request that is too long goes to the larger model of the config", async () => {
  const long = fails("context", undefined, "context_length_exceeded");
  const play = fallbackStage(long, says("b"), { m: "big" });
  expect((await play.ask()).body).toMatchObject({ model: "big" });
  const none = fallbackStage(long, says("b"), { m: "nowhere" });
  expect((await none.ask()).body).toMatchObject({ error: { code: "context_length_exceeded" } });
});

test("a larger model that the caller's wishes rule out does not hide that the request is too long", async () => {
  const long = fails("context", undefined, "context_length_exceeded");
  const play = fallbackStage(long, says("b"), { m: "big" });
  const seen = await play.ask({ provider: { only: ["a"] } });
  expect([seen.status, seen.body]).toMatchObject([
    400,
    { error: { code: "context_length_exceeded" } },
  ]);
});

test("larger models that name each other are asked once each", async () => {
  const long = fails("context", undefined, "context_length_exceeded");
  const play = fallbackStage(long, long, { m: "big", big: "m" });
  expect((await play.ask()).status).toBe(400);
  expect(play.settled[0]?.attempts).toHaveLength(2);
});

test("a client that leaves while an attempt begins ends it, and the attempt is recorded", async () => {
  for (const streams of [false, true]) {
    const play = stage({ models: [[model, at("a", "b")]], scripts: { a: hangs, b: says("b") } });
    const leaving = new AbortController();
    const asking = play.ask({ stream: streams }, { signal: leaving.signal });
    await until(() => play.asked.a?.length === 1);
    leaving.abort();
    await asking;
    expect(play.settled).toMatchObject([
      { status: "cancelled", attempts: [{ provider: "a", error: "client_closed" }] },
    ]);
    expect(play.asked.b).toEqual([]);
    play.expectIdle();
  }
});

test("a client that leaves while its call waits to try again ends the call", async () => {
  const play = stage({
    models: [[model, at("a")]],
    scripts: { a: fails("busy", 0.9) },
    concurrency: { a: 1 },
  });
  const leaving = new AbortController();
  const asking = play.ask({}, { signal: leaving.signal });
  await until(() => play.asked.a?.length === 1);
  await Bun.sleep(5);
  leaving.abort();
  await asking;
  expect(play.settled).toMatchObject([{ status: "cancelled", attempts: [{ provider: "a" }] }]);
  play.expectIdle();
});

test("a client that leaves while it waits for a place makes room for those behind it", async () => {
  const gate = gated();
  const play = stage({
    models: [[model, at("a")]],
    scripts: { a: gate.script },
    concurrency: { a: 1 },
  });
  const first = play.ask();
  await until(() => gate.begun() === 1);
  const leaving = new AbortController();
  const second = play.ask({}, { signal: leaving.signal });
  const third = play.ask();
  await Bun.sleep(5);
  leaving.abort();
  await second;
  gate.letGo();
  await until(() => gate.begun() === 1);
  gate.letGo();
  expect([(await first).status, (await third).status]).toEqual([200, 200]);
  expect(play.settled.find(({ status }) => status === "cancelled")?.attempts).toEqual([]);
  play.expectIdle();
});

test("a client that has left before its call begins asks nobody", async () => {
  const play = stage({ models: [[model, at("a")]], scripts: { a: hangs } });
  await play.ask({}, { signal: AbortSignal.abort() });
  expect([play.asked.a, play.settled[0]?.status]).toEqual([[], "cancelled"]);
  play.expectIdle();
});

test("a backend that does not hear of the leaving holds nothing either", async () => {
  const gate = gated();
  const play = stage({
    models: [[model, at("a")]],
    scripts: { a: gate.script },
    concurrency: { a: 1 },
  });
  for (const streams of [false, true]) {
    const leaving = new AbortController();
    const asking = play.ask({ stream: streams }, { signal: leaving.signal });
    await until(() => gate.begun() === 1);
    leaving.abort();
    play.expectIdle();
    gate.letGo();
    await asking;
    play.expectIdle();
  }
});
