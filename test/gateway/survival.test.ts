import { expect, test } from "bun:test";
import type { JsonObject, Price, StreamEvent, Target } from "../../src/types.ts";
import { aborted, chat, end, fails, failure, inTurn, says, stream } from "./acts.ts";
import { type Script, type Seen, type StageOptions, stage } from "./stage.ts";
import { modelNamed, targetAt } from "./targets.ts";
import { hear } from "./told.ts";

/** Answers that break off after tokens were sent, and go on from elsewhere. */

const STORY = "Once upon a time.";
const model = modelNamed("m");
const PREFILL = { prefill: true, completions: true, exact: false, guided: false };
const able: Partial<Target> = { continuation: PREFILL };
const ROLE = chat({ role: "assistant", content: "" });
const pieces = (text: string) => [...text].map((content) => chat({ content }));

/** Says the story up to so many characters, then dies. */
const dies =
  (after: number, error: Error = failure("broken"), story = STORY): Script =>
  ({ context }) =>
    stream(context, [ROLE, ...pieces(story.slice(0, after))], null, { error });

/** Says the whole story, its role first. */
const tells: Script = ({ context }) =>
  stream(context, [ROLE, ...pieces(STORY), end()], [10, STORY.length]);

/** Goes on after what it is given of it; its prompt is that much longer. */
const goesOn: Script = ({ context }) => {
  const given = context.prefill?.length ?? 0;
  const rest = STORY.slice(given);
  return stream(context, [ROLE, ...pieces(rest), end()], [10 + given, rest.length]);
};

function play(
  scripts: Record<string, Script>,
  known: Partial<Target> = {},
  options: Partial<StageOptions> = {},
) {
  const targets = Object.keys(scripts).map((each) => targetAt(each, known, model));
  return stage({ models: [[model, targets]], scripts, ...options });
}

const DETERMINISTIC = { stream: true, temperature: 0, stream_options: { include_usage: true } };
const BY_CHANCE = { ...DETERMINISTIC, temperature: 0.8 };

const usages = ({ events }: Seen) =>
  events.flatMap(({ usage }) => (usage === undefined ? [] : [usage]));

function expectWhole(seen: Seen, text = STORY): void {
  expect(hear(seen.events)).toMatchObject({ text, roles: 1, finishes: ["stop"] });
  expect([seen.error, seen.done, usages(seen).length]).toEqual([null, true, 1]);
  expect(new Set(seen.events.map((event) => JSON.stringify(Object(event).id))).size).toBe(1);
  expect(seen.record).toMatchObject({ status: "completed", error: null, finishReason: "stop" });
}

function expectBrokenOff(seen: Seen, code: string): void {
  expect(hear(seen.events).finishes).toEqual([]);
  expect([seen.error?.code, seen.done]).toEqual([code, false]);
  expect(seen.record).toMatchObject({ status: "failed", costNanoUsd: 0 });
}

const hows = ({ record }: Seen) =>
  (record?.attempts ?? []).map(
    ({ provider, how, error }) => `${provider} ${how} ${error ?? "answered"}`,
  );

test("a deterministic answer cut at any event is made anew, and comes out whole", async () => {
  for (let after = 1; after <= STORY.length; after++) {
    const here = play({ a: dies(after), b: tells });
    const seen = await here.ask(DETERMINISTIC);
    expectWhole(seen);
    expect(hows(seen)).toEqual(["a first upstream_error", "b restart answered"]);
    expect(usages(seen)[0]).toMatchObject({ prompt_tokens: 10, completion_tokens: STORY.length });
    here.expectIdle();
  }
});

test("one made by chance goes on after what was sent, its usage as if nothing had happened", async () => {
  for (let after = 1; after < STORY.length; after++) {
    const here = play({ a: dies(after), b: goesOn }, able);
    const seen = await here.ask({ ...BY_CHANCE, max_tokens: 100 });
    expectWhole(seen);
    expect(hows(seen)).toEqual(["a first upstream_error", "b continue answered"]);
    const said = STORY.slice(0, after);
    expect(here.asked.b?.[0]?.context.prefill).toBe(said.trimEnd());
    expect(here.asked.b?.[0]?.input.max_tokens).toBeLessThan(100);
    here.expectIdle();
  }
});

test("a lone target that dies once makes it anew itself", async () => {
  const here = play({ a: inTurn(dies(5), tells) });
  const seen = await here.ask(DETERMINISTIC);
  expectWhole(seen);
  expect(hows(seen)).toEqual(["a first upstream_error", "a restart answered"]);
});

test("where the answer made anew differs it is gone on with instead", async () => {
  const other: Script = (asked) =>
    asked.context.prefill === null
      ? stream(asked.context, [ROLE, ...pieces("Twice upon a time."), end()])
      : goesOn(asked);
  const here = play({ a: dies(6, failure("silent")), b: other }, able);
  const seen = await here.ask(DETERMINISTIC);
  expectWhole(seen);
  expect(hows(seen)).toEqual([
    "a first upstream_error",
    "b restart upstream_error",
    "b continue answered",
  ]);
  expect(here.gateway.health.of("b/m", performance.now()).breaker).toBe("closed");
  here.expectIdle();
});

test("an answer that nobody can go on with ends in its own failure, once", async () => {
  const here = play({
    a: dies(6, failure("broken", undefined, "upstream_timeout")),
    b: fails("busy"),
  });
  const seen = await here.ask(BY_CHANCE);
  expectBrokenOff(seen, "upstream_timeout");
  expect(seen.record?.provider).toBe("a");
  here.expectIdle();
  const tried = play({
    a: dies(6, failure("broken", undefined, "upstream_timeout")),
    b: fails("busy"),
  });
  const failed = await tried.ask(DETERMINISTIC, {});
  expectBrokenOff(failed, "upstream_timeout");
  expect(failed.record).toMatchObject({ provider: "a", completionTokens: 7 });
  tried.expectIdle();
});

test("a source that ends without a finish reason has broken off", async () => {
  const early: Script = ({ context }) => stream(context, [ROLE, ...pieces("Once")], [10, 5]);
  const seen = await play({ a: early, b: tells }).ask(DETERMINISTIC);
  expectWhole(seen);
  expectBrokenOff(
    await play({ a: early }, {}, { resume: false }).ask(DETERMINISTIC),
    "upstream_error",
  );
});

test("an answer survives several deaths, and each is recorded", async () => {
  const here = play({ a: inTurn(dies(3), dies(7), dies(9), tells), b: inTurn(dies(5), tells) });
  const seen = await here.ask(DETERMINISTIC);
  expectWhole(seen);
  expect(seen.record?.attempts.length).toBeGreaterThan(2);
  here.expectIdle();
});

test("an answer that dies again and again is given up in the end", async () => {
  let told = 0;
  const slow: Script = ({ context }) => {
    const sent = context.prefill?.length ?? 0;
    told += 1;
    return stream(context, pieces(STORY.slice(sent, sent + 2)), null, { error: failure("key") });
  };
  const here = play({ a: slow }, able);
  const seen = await here.ask(BY_CHANCE);
  expectBrokenOff(seen, "upstream_error");
  expect(told).toBe(6);
  expect(STORY).toStartWith(hear(seen.events).text);
  here.expectIdle();
});

test("where the limit is used up the answer ends with `length`, and its own usage", async () => {
  const other: Script = ({ context }) =>
    stream(context, [ROLE, ...pieces("Twice upon a time."), end()], [99, 99]);
  const counting: Script = ({ context }) =>
    stream(context, pieces(STORY.slice(0, 5)), [10, 5], { error: failure("silent") });
  const here = play({ a: counting, b: other }, able);
  const seen = await here.ask({ ...DETERMINISTIC, max_tokens: 5 });
  expect(hear(seen.events)).toMatchObject({ text: "Once ", finishes: ["length"] });
  expect(usages(seen)).toMatchObject([{ prompt_tokens: 10, completion_tokens: 5 }]);
  expect(seen.record).toMatchObject({ status: "completed", provider: "a", completionTokens: 5 });
  here.expectIdle();
});

test("what follows is charged by who made it, and the failed attempt is not", async () => {
  const price = (each: number): Price => ({
    prompt: each,
    cached: null,
    completion: each,
    request: 0,
    image: null,
  });
  const here = stage({
    models: [
      [
        model,
        [targetAt("a", { price: price(1) }, model), targetAt("b", { price: price(1e-6) }, model)],
      ],
    ],
    scripts: { a: dies(6), b: tells },
  });
  const seen = await here.ask(DETERMINISTIC);
  expect(seen.record?.costNanoUsd).toBe((10 + STORY.length) * 1000);
});

const call = (piece: JsonObject) => chat({ tool_calls: [{ index: 0, ...piece }] });
const BEGUN = call({ id: "one", type: "function", function: { name: "get", arguments: "" } });
const args = (text: string) => call({ function: { arguments: text } });

test("a tool call made anew keeps its id, and one that comes out otherwise is not sent", async () => {
  const first: Script = ({ context }) =>
    stream(context, [BEGUN, args('{"a'), args('":')], null, { error: failure("broken") });
  const again =
    (name: string, text: string): Script =>
    ({ context }) =>
      stream(context, [
        call({ id: "two", type: "function", function: { name, arguments: text } }),
        end("tool_calls"),
      ]);
  const seen = await play({ a: first, b: again("get", '{"a":1}') }).ask(BY_CHANCE);
  expect(hear(seen.events)).toMatchObject({
    tools: [{ id: "one", name: "get", arguments: '{"a":1}' }],
    finishes: ["tool_calls"],
  });
  for (const [name, text] of [
    ["set", '{"a":1}'],
    ["get", '{"b":1}'],
  ] as const) {
    const other = await play({ a: first, b: again(name, text) }).ask(BY_CHANCE);
    expectBrokenOff(other, "upstream_error");
    expect(hear(other.events).tools).toEqual([{ id: "one", name: "get", arguments: '{"a":' }]);
  }
});

const text = (index: number, said: string, finish_reason: "stop" | null = null): StreamEvent => ({
  choices: [{ index, text: said, logprobs: null, finish_reason }],
});
const TWO = { stream: true, temperature: 0, prompt: ["a", "b"] };

test("answers side by side: one that comes out otherwise spoils none, and is told as its failure", async () => {
  const first: Script = ({ context }) =>
    stream(context, [text(0, "one"), text(1, "two")], null, { error: failure("broken") });
  const other: Script = ({ context }) =>
    stream(context, [text(0, "one more", "stop"), text(1, "TWO", "stop")]);
  const here = play({ a: first, b: other });
  const seen = await here.ask(TWO, { operation: "completions" });
  expectBrokenOff(seen, "upstream_error");
  expect([hear(seen.events, 0).text, hear(seen.events, 1).text]).toEqual(["one", "two"]);
  expect(here.logged).toEqual([]);
});

test("an answer without all the choices that were asked for has broken off", async () => {
  const half: Script = ({ context }) => stream(context, [text(0, "one", "stop")]);
  const both: Script = ({ context }) =>
    stream(context, [text(0, "one", "stop"), text(1, "two", "stop")]);
  const seen = await play({ a: half, b: both }).ask(TWO, { operation: "completions" });
  expect([hear(seen.events, 0), hear(seen.events, 1)]).toMatchObject([
    { text: "one", finishes: ["stop"] },
    { text: "two", finishes: ["stop"] },
  ]);
});

test("a whole answer with a choice that has no finish reason has broken off", async () => {
  const choice = (index: number, finish_reason: string | null) => ({
    index,
    text: "x",
    finish_reason,
  });
  const half: Script = () => ({
    kind: "json",
    body: { choices: [choice(0, "stop"), choice(1, null)] },
    usage: null,
  });
  const seen = await play({ a: half }, {}, { rules: { attempts: 1 } }).ask(
    { prompt: ["a", "b"] },
    { operation: "completions" },
  );
  expect(seen.status).toBe(502);
});

test("a stop string across the seam ends the answer, and the source is closed", async () => {
  let closed = 0;
  const first: Script = ({ context }) =>
    stream(context, [ROLE, ...pieces("Once upo")], null, { error: failure("broken") });
  const deaf: Script = ({ context }) => {
    const rest = STORY.slice(context.prefill?.length ?? 0);
    return stream(context, [ROLE, ...pieces(rest), end()], null, {
      onClose: () => {
        closed += 1;
      },
    });
  };
  const here = play({ a: first, b: deaf }, able);
  const seen = await here.ask({ ...BY_CHANCE, stop: "upon a" });
  expect(hear(seen.events)).toMatchObject({ text: "Once ", roles: 1, finishes: ["stop"] });
  expect([seen.done, closed]).toEqual([true, 1]);
  here.expectIdle();
});

test("a stop string in the last piece closes its source too", async () => {
  let closed = false;
  const whole: Script = ({ context }) => {
    const last = chat({ content: "END more" });
    const [choice] = last.choices;
    const ended = { ...last, choices: [{ ...choice, finish_reason: "stop" }] } as StreamEvent;
    return stream(context, [chat({ content: "a" }), ended, { choices: [] }], null, {
      onClose: () => {
        closed = true;
      },
    });
  };
  const seen = await play({ a: whole }).ask({ ...BY_CHANCE, stop: "END" });
  expect([hear(seen.events).text, closed]).toEqual(["a", true]);
});

test("a client that leaves in the middle of a stream closes its source", async () => {
  let closed = false;
  const here = play({
    a: ({ context }) =>
      stream(context, [ROLE, ...pieces(STORY), end()], null, {
        onClose: () => {
          closed = true;
        },
      }),
  });
  await here.ask(BY_CHANCE, { leaveAfter: 3 });
  expect(closed).toBe(true);
  expect(here.settled).toMatchObject([
    { status: "cancelled", attempts: [{ provider: "a", error: "client_closed" }] },
  ]);
  here.expectIdle();
});

test("a client that leaves before it has read anything closes the source that has begun", async () => {
  let closed = false;
  const here = play({
    a: ({ context }) =>
      stream(context, pieces(STORY), null, {
        onClose: () => {
          closed = true;
        },
      }),
  });
  await here.ask(BY_CHANCE, { leaveAfter: 0 });
  await Bun.sleep(0);
  expect(closed).toBe(true);
  here.expectIdle();
});

test("a client that leaves during a resume ends it: nothing is held, and both attempts are recorded", async () => {
  const leaving = new AbortController();
  const here = play(
    {
      a: dies(5),
      b: ({ context }) => {
        queueMicrotask(() => leaving.abort());
        return aborted(context.signal);
      },
    },
    {},
    { concurrency: { a: 1, b: 1 } },
  );
  await here.ask(DETERMINISTIC, { signal: leaving.signal });
  expect(here.settled).toMatchObject([
    {
      status: "cancelled",
      attempts: [
        { provider: "a", error: "upstream_error" },
        { provider: "b", how: "restart", error: "client_closed" },
      ],
    },
  ]);
  here.expectIdle();
});

test("a client that leaves during a resume, with a source that begins all the same, closes it", async () => {
  const leaving = new AbortController();
  let closed = false;
  const here = play({
    a: dies(5),
    b: async ({ context }) => {
      leaving.abort();
      await Bun.sleep(1);
      return stream(context, [ROLE, ...pieces(STORY), end()], null, {
        onClose: () => {
          closed = true;
        },
      });
    },
  });
  await here.ask(DETERMINISTIC, { signal: leaving.signal });
  expect(closed).toBe(true);
  expect(here.asked.b).toHaveLength(1);
  here.expectIdle();
});

test("a client that leaves while a resume waits for its turn ends the wait", async () => {
  const leaving = new AbortController();
  const here = play({ a: inTurn(dies(5), tells) }, {}, { concurrency: { a: 1 } });
  let sent = 0;
  await here.ask(DETERMINISTIC, {
    signal: leaving.signal,
    onPiece: () => {
      sent += 1;
      if (sent === 5) setTimeout(() => leaving.abort(), 20);
    },
  });
  expect(here.asked.a).toHaveLength(1);
  expect(here.settled).toMatchObject([{ status: "cancelled" }]);
  here.expectIdle();
});

test("after its end a stream gives nothing, whatever was asked of it", async () => {
  const here = play({ a: says("Hello") });
  const seen = await here.ask({ stream: true });
  expect([seen.done, hear(seen.events).text]).toEqual([true, "Hello"]);
  expect(usages(seen)).toEqual([]);
  expect(here.settled).toHaveLength(1);
});
