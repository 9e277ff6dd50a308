import { afterEach, describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { askModel } from "../../src/engines/ask-model.ts";
import { EngineHost } from "../../src/engines/host.ts";
import { defineEngine } from "../../src/engines/kind.ts";
import { ModelPool, type PooledModel } from "../../src/engines/pool.ts";
import { FairQueue } from "../../src/engines/queue.ts";
import { freshMeter } from "../../src/gateway/call.ts";
import { afterFailure, faultOf } from "../../src/gateway/routing/retry.ts";
import { createLog } from "../../src/lib/log.ts";
import type { CountingSpeech } from "./frame-child.ts";
import { CONFIG, model } from "./local-backend.ts";

/** What every engine gets from the host and the child's frame, whatever it does. */

const COUNTING = defineEngine<CountingSpeech>({
  id: "ocr",
  entry: () => new URL("./frame-child.ts", import.meta.url),
  requires: [],
  serialization: "advanced",
  does: "counts",
  endpoint: "/v1/count",
  places: () => 1,
  load: async () => ({ options: { fails: false }, bytes: 1 }),
});

let open: EngineHost<CountingSpeech>[] = [];
function host(fails = false, livenessMs = 10_000, settleMs?: number): EngineHost<CountingSpeech> {
  const made = new EngineHost<CountingSpeech>({
    model,
    kind: COUNTING,
    prepare: async () => ({ fails }),
    loadTimeoutMs: 10_000,
    livenessMs,
    settleMs,
    log: createLog(() => undefined, false),
  });
  open.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(open.map((each) => each.unload()));
  open = [];
});

const never = new AbortController().signal;
const bytes = Uint8Array.of(1, 2, 3);

test("a request has its progress in order and its end, with bytes as they are", async () => {
  const counter = host();
  expect(await counter.ensureReady(never)).toEqual({ greeting: "hello" });
  const events: CountingSpeech["event"][] = [];
  for await (const group of counter.ask({ to: 3, bytes }, never)) events.push(...group);
  expect(events.map((event) => (event.type === "progress" ? event.at : event.bytes))).toEqual([
    0,
    1,
    2,
    Uint8Array.of(3, 2, 1),
  ]);
});

test("a cancelled request ends at once, here and in the child, and no other", async () => {
  const counter = host();
  await counter.ensureReady(never);
  const leaving = new AbortController();
  const other = (async () => {
    let last: CountingSpeech["event"] | undefined;
    for await (const group of counter.ask({ to: 100, bytes }, never)) last = group.at(-1);
    return last;
  })();
  const left = (async () => {
    for await (const _ of counter.ask({ to: 1_000_000, bytes }, leaving.signal)) leaving.abort();
  })();
  expect(await left.catch((error: unknown) => error)).toMatchObject({ kind: "client_closed" });
  expect(await other).toMatchObject({ type: "done", cancelled: 1 });
});

test("our own errors reach the caller with their place", async () => {
  const counter = host();
  await counter.ensureReady(never);
  const asked = counter.ask({ to: -1, bytes }, never)[Symbol.asyncIterator]();
  expect(await asked.next().catch((error: unknown) => error)).toMatchObject({
    kind: "invalid_request",
    message: "Can't count down.",
    param: "to",
  });
});

test("what a child failed at by itself is not asked of it again, and is no crash of it", async () => {
  const counter = host();
  await counter.ensureReady(never);
  const asked = counter.ask({ to: 0.5, bytes }, never).next();
  const failure: unknown = await asked.catch((error: unknown) => error);
  if (!(failure instanceof GatewayError)) throw failure;
  expect([failure.kind, faultOf(failure)]).toEqual(["upstream_error", "failed"]);
  expect(afterFailure(undefined, failure, 0, 0).notBefore).toBe(Number.POSITIVE_INFINITY);
  expect(counter.state.name).toBe("ready");
});

test("a model that can't be loaded is said to be one, and backed off", async () => {
  const counter = host(true);
  expect(await counter.ensureReady(never).catch((error: unknown) => error)).toMatchObject({
    kind: "unavailable",
  });
  expect(counter.state.name).toBe("crashed");
});

test.each([
  ["SIGSTOP", "that fell silent over a request is not asked it again", false],
  ["SIGKILL", "that crashed may be, once it is back", true],
] as const)("%s: a model %s", async (signal, _, again) => {
  const counter = host(false, 300);
  await counter.ensureReady(never);
  const { pid } = counter;
  if (pid === null) throw new Error("expected a child");
  let failure: unknown = null;
  try {
    for await (const _ of counter.ask({ to: 1_000_000, bytes }, never)) process.kill(pid, signal);
  } catch (error) {
    failure = error;
  }
  if (!(failure instanceof GatewayError)) throw failure;
  expect(failure.kind).toBe("upstream_error");
  const tried = afterFailure(undefined, failure, 0, 0);
  expect(Number.isFinite(tried.notBefore)).toBe(again);
});

describe("a place that was left while the child can't be interrupted", () => {
  const pool = new ModelPool(
    [],
    async () => ({}),
    CONFIG,
    createLog(() => undefined, false),
  );

  function placed(host: EngineHost<CountingSpeech>): PooledModel<CountingSpeech> {
    const queue = new FairQueue(1, 10, () => 1);
    return {
      ...{ model, kind: COUNTING, host, queue, longQueue: queue },
      ...{ users: 0, lastUsed: 0, bytes: 0, answerMs: 0 },
    };
  }

  /** Asks, and leaves when the child can't hear of it any more. */
  async function leave(pooled: PooledModel<CountingSpeech>, deafMs: number): Promise<unknown> {
    const leaving = new AbortController();
    const context = { keyId: "a", signal: leaving.signal, meter: freshMeter() };
    const ask = () => ({ to: 0, bytes, deafMs });
    return askModel(pool, pooled, ask, context, () => leaving.abort()).catch((error) => error);
  }
  const ask = (pooled: PooledModel<CountingSpeech>) =>
    askModel(pool, pooled, () => ({ to: 1, bytes }), {
      keyId: "b",
      signal: never,
      meter: freshMeter(),
    });

  test("is another's when it has ended; who left was let go at once", async () => {
    const pooled = placed(host());
    expect(await leave(pooled, 300)).toMatchObject({ kind: "client_closed" });
    expect(pooled.queue.running).toBe(1);
    expect(await ask(pooled)).toMatchObject({ type: "done", atOnce: 1 });
  });

  test("is another's in a new process where it does not end, and nothing has failed", async () => {
    const counter = host(false, 10_000, 100);
    const pooled = placed(counter);
    await counter.ensureReady(never);
    const { pid } = counter;
    await leave(pooled, 1_000_000);
    expect(await ask(pooled)).toMatchObject({ type: "done", atOnce: 1 });
    expect(counter.pid).not.toBe(pid);
    expect(counter.state).toMatchObject({ name: "ready", failures: 0 });
  });

  test("ends others' work for it only after much longer", async () => {
    const counter = host(false, 10_000, 100);
    await counter.ensureReady(never);
    const began = performance.now();
    const other = counter.ask({ to: 1_000_000, bytes }, never);
    const pooled = placed(counter);
    await leave(pooled, 1_000_000);
    const failure = await (async () => {
      for await (const _ of other);
    })().catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "upstream_error", fault: "broken" });
    expect(performance.now() - began).toBeGreaterThan(1_000);
  });
});
