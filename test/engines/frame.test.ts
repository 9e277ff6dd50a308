import { afterEach, expect, test } from "bun:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { EngineHost } from "../../src/engines/host.ts";
import { defineEngine } from "../../src/engines/kind.ts";
import { afterFailure } from "../../src/gateway/routing/retry.ts";
import { createLog } from "../../src/lib/log.ts";
import type { CountingSpeech } from "./frame-child.ts";
import { model } from "./local-backend.ts";

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
function host(fails = false, livenessMs = 10_000): EngineHost<CountingSpeech> {
  const made = new EngineHost<CountingSpeech>({
    model,
    kind: COUNTING,
    prepare: async () => ({ fails }),
    loadTimeoutMs: 10_000,
    livenessMs,
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
