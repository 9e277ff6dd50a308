import { expect, test } from "bun:test";
import { FREE } from "../../src/catalog/target.ts";
import type { ModelState } from "../../src/types.ts";
import { chat, end, fails, failure, hangs, inTurn, says, stream } from "./acts.ts";
import { type Script, stage } from "./stage.ts";
import { modelNamed, targetAt } from "./targets.ts";
import { hear } from "./told.ts";

/** What callers see, and what is recorded, while targets fail and when they come back. */

const model = modelNamed("m");
const at = (...providers: readonly string[]) => [
  [model, providers.map((each) => targetAt(each, {}, model))] as const,
];
const READY: ModelState = { state: "ready", detail: null };
const ROLE = chat({ role: "assistant", content: "" });

function signal() {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { give, given };
}

test("a caller who leaves while another source is looked for is charged for what it got, by who gave it", async () => {
  const asked = signal();
  const price = { ...FREE, prompt: 1, completion: 2 };
  const dear = { ...FREE, prompt: 1000, completion: 2000 };
  const targets = [targetAt("a", { price }, model), targetAt("b", { price: dear }, model)];
  const dies: Script = ({ context }) =>
    stream(context, [ROLE, ...[..."hello"].map((content) => chat({ content }))], [10, 6], {
      error: failure("broken"),
    });
  const here = stage({
    models: [[model, targets]],
    scripts: {
      a: dies,
      b: (one) => {
        asked.give();
        return hangs(one);
      },
    },
  });
  const leaving = new AbortController();
  const seen = here.ask({ stream: true, temperature: 0 }, { signal: leaving.signal });
  await asked.given;
  leaving.abort();
  const { record } = await seen;
  expect(record).toMatchObject({ status: "cancelled", provider: "a", costNanoUsd: 22e9 });
  expect(record).toMatchObject({ promptTokens: 10, completionTokens: 6 });
});

test("a target that is back answers all, however long the answer takes that tried it", async () => {
  const began = signal();
  const over = signal();
  let down = true;
  const here = stage({
    models: at("a"),
    scripts: {
      a: (asked) => {
        if (down) throw failure("broken");
        if (asked.input.stream !== true) return says("ok")(asked);
        async function* slowly() {
          yield [ROLE];
          yield [chat({ content: "x" })];
          await over.given;
          yield [end()];
        }
        return { kind: "stream", events: slowly() };
      },
    },
    rules: { attempts: 1 },
    breaker: { failures: 1, cooldownMs: 20 },
  });
  await here.ask();
  expect((await here.ask()).status).toBe(503);
  down = false;
  const isOpen = () => here.gateway.health.of("a/m", performance.now()).breaker === "open";
  while (isOpen()) await Bun.sleep(5);
  const probe = here.ask({ stream: true }, { onPiece: began.give });
  await began.given;
  expect((await here.ask()).status).toBe(200);
  over.give();
  expect((await probe).done).toBe(true);
});

test("a pause that was asked for holds, whatever an answer says that was on its way", async () => {
  const go = signal();
  const slow: Script = async (asked) => {
    await go.given;
    return says("ok")(asked);
  };
  const here = stage({
    models: at("a"),
    scripts: { a: inTurn(slow, fails("busy", 30, "overloaded")) },
    rules: { attempts: 1 },
  });
  const first = here.ask();
  while (here.asked.a?.length !== 1) await Bun.sleep(1);
  expect((await here.ask()).headers["retry-after"]).toBe("30");
  go.give();
  expect((await first).status).toBe(200);
  expect((await here.ask()).status).toBe(503);
  expect(here.asked.a?.length).toBe(2);
});

test("one model under two names is asked once, and a refusal stays one", async () => {
  const here = stage({
    models: at("a"),
    scripts: { a: fails("request", undefined, "invalid_request") },
  });
  const { resolve } = here.gateway.models;
  here.gateway.models.resolve = (name) => resolve(name === "alias" ? "m" : name);
  expect((await here.ask({ models: ["alias"] })).status).toBe(400);
  expect(here.asked.a?.length).toBe(1);
});

test("that a model to fall back to rests does not hide why the one that was asked for failed", async () => {
  const other = modelNamed("n");
  const resting: ModelState = { state: "unavailable", detail: "rests", until: 1e12 };
  const here = stage({
    models: [...at("a"), [other, [targetAt("b", {}, other)]]],
    scripts: { a: fails("request", undefined, "invalid_request"), b: says("no") },
    state: ({ provider }) => (provider === "b" ? resting : READY),
  });
  expect((await here.ask({ models: ["n"] })).status).toBe(400);
});

test("of several that are limited, the one that is free first says when to come back", async () => {
  const here = stage({
    models: at("a", "b"),
    scripts: { a: fails("busy", 7, "overloaded"), b: fails("busy", 600, "overloaded") },
  });
  const seen = await here.ask();
  expect([seen.status, seen.headers["retry-after"]]).toEqual([503, "7"]);
});

test("that our key is refused at one is not told where another one says when to come back", async () => {
  let refused = false;
  const here = stage({
    models: at("a", "b"),
    scripts: {
      a: fails("busy", 7, "overloaded"),
      b: () => {
        refused = true;
        throw failure("key");
      },
    },
    state: ({ provider }) =>
      provider === "b" && refused ? { state: "unavailable", detail: "refused" } : READY,
  });
  const seen = await here.ask();
  expect([seen.status, seen.headers["retry-after"]]).toEqual([503, "7"]);
});

test("pieces that say nothing are not kept until the first token, however many come", async () => {
  async function* empties() {
    yield [ROLE];
    yield Array.from({ length: 200_000 }, () => chat({}));
    yield [chat({ content: "x" }), end()];
  }
  const here = stage({
    models: at("a"),
    scripts: { a: () => ({ kind: "stream", events: empties() }) },
  });
  const seen = await here.ask({ stream: true });
  expect([seen.done, seen.events.length < 10]).toEqual([true, true]);
});

test("a call that waits to ask again does not, when another one was told to leave the target alone", async () => {
  const here = stage({
    models: at("a"),
    scripts: { a: inTurn(fails("broken"), fails("busy", 60, "overloaded"), says("no")) },
  });
  const waiting = here.ask();
  while (here.asked.a?.length !== 1) await Bun.sleep(1);
  expect((await here.ask()).status).toBe(503);
  expect((await waiting).status).toBe(502);
  expect(here.asked.a?.length).toBe(2);
});

test("calls that were told to wait as long as each other don't come back at once", async () => {
  const times: number[] = [];
  const here = stage({
    models: at("a"),
    scripts: {
      a: (asked) => {
        times.push(performance.now());
        if (times.length <= 20) throw failure("busy", 0.3, "overloaded");
        return says("ok")(asked);
      },
    },
    rules: { attempts: 2 },
  });
  await Promise.all(Array.from({ length: 20 }, () => here.ask()));
  const again = times.slice(20);
  expect(again.length).toBe(20);
  expect(Math.max(...again) - Math.min(...again)).toBeGreaterThan(60);
});

const ABLE = { continuation: { prefill: true, completions: true, exact: false, guided: false } };
const dies: Script = inTurn(
  ({ context }) =>
    stream(context, [ROLE, chat({ content: "Once " })], null, { error: failure("silent") }),
  fails("silent"),
);
const thinks: Script = ({ context }) =>
  stream(context, [ROLE, chat({ reasoning_content: "upon a time." }), end()], [10, 4]);
const goesOn: Script = ({ context }) =>
  stream(context, [ROLE, chat({ content: "upon a time." }), end()], [10, 4]);

test("one that takes the rest of an answer for thoughts has not gone on with it", async () => {
  const told = async (scripts: Record<string, Script>) => {
    const targets = Object.keys(scripts).map((each) => targetAt(each, ABLE, model));
    const here = stage({ models: [[model, targets]], scripts });
    const seen = await here.ask({ stream: true, temperature: 0.8 });
    here.expectIdle();
    const { text, finishes } = hear(seen.events);
    return [text, finishes, seen.error?.code];
  };
  expect(await told({ a: dies, b: thinks })).toEqual(["Once ", [], "upstream_error"]);
  expect(await told({ a: dies, b: thinks, c: goesOn })).toEqual([
    "Once upon a time.",
    ["stop"],
    undefined,
  ]);
});

test("an empty list beside the text is no reason not to go on with it", async () => {
  const lists: Script = ({ context }) =>
    stream(
      context,
      [chat({ role: "assistant", annotations: [], images: [], content: "Once " })],
      null,
      {
        error: failure("broken"),
      },
    );
  const targets = ["a", "b"].map((each) => targetAt(each, ABLE, model));
  const here = stage({ models: [[model, targets]], scripts: { a: lists, b: goesOn } });
  const seen = await here.ask({ stream: true, temperature: 0.8 });
  expect([hear(seen.events).text, seen.error]).toEqual(["Once upon a time.", null]);
});
