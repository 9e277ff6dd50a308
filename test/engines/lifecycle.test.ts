import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "../../src/contract/errors.ts";
import type { LocalBackend } from "../../src/engines/index.ts";
import type { Model } from "../../src/types.ts";
import {
  backendWith,
  chat,
  chatRequest,
  contextFor,
  model,
  replyTo,
  TIMEOUT,
  target,
  weights,
} from "./local-backend.ts";

setDefaultTimeout(TIMEOUT);

const hello = chatRequest("Say hello.", { max_tokens: 2 });
let open: LocalBackend[] = [];

function backend(...options: Parameters<typeof backendWith>): LocalBackend {
  const made = backendWith(...options);
  open.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(open.map((each) => each.close?.()));
  open = [];
});

function pidOf(of: LocalBackend): number {
  const pid = of.snapshot()[0]?.pid;
  if (typeof pid !== "number") throw new Error("there is no child process");
  return pid;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "succeeded",
    (error) => error,
  );

test("a model is loaded by the first request and gone after close", async () => {
  const local = backend();
  expect(local.state(target)).toEqual({ state: "loadable", detail: null });
  expect(await chat(hello, contextFor(), local)).toMatchObject({ completion: 2 });
  expect(local.state(target).state).toBe("ready");
  const pid = pidOf(local);
  await local.close?.();
  expect(isAlive(pid)).toBe(false);
  expect(local.state(target).state).toBe("loadable");
});

test("closing while a model loads ends the load and starts nothing again", async () => {
  const local = backend();
  const waiting = failure(local.preload(model.id));
  while (local.snapshot()[0]?.pid === null) await Bun.sleep(1);
  const pid = pidOf(local);
  await local.close?.();
  expect(await waiting).toMatchObject({ kind: "unavailable" });
  expect(isAlive(pid)).toBe(false);
  expect(local.snapshot()[0]).toMatchObject({ pid: null, running: 0 });
});

test("a killed child fails its running answers, is backed off, and comes back", async () => {
  const local = backend();
  await local.preload(model.id);
  const long = chatRequest("Count.", { max_tokens: 400, stream: true, logit_bias: { "2": -100 } });
  const reply = await replyTo(long, contextFor(), local);
  if (reply.kind !== "stream") throw new Error("expected a stream");
  const iterator = reply.events[Symbol.asyncIterator]();
  await iterator.next();
  const before = pidOf(local);
  process.kill(before, "SIGKILL");
  const drained = (async () => {
    while (!(await iterator.next()).done);
  })();
  expect(await failure(drained)).toMatchObject({ kind: "upstream_error", retryable: true });
  expect(local.state(target).state).toBe("crashed");

  const refused = await failure(chat(hello, contextFor(), local));
  if (!(refused instanceof GatewayError)) throw new Error("expected to be backed off");
  expect([refused.status, refused.kind]).toEqual([503, "model_loading"]);
  expect(refused.retryAfter).toBeGreaterThan(0);
  await Bun.sleep((refused.retryAfter ?? 0) * 1_000);
  expect(await chat(hello, contextFor(), local)).toMatchObject({ completion: 2 });
  expect(pidOf(local)).not.toBe(before);
});

test("weights that are no model are an error that says so, and no crash of the gateway", async () => {
  const path = join(tmpdir(), `covey-broken-${process.pid}.gguf`);
  await writeFile(path, "not a model");
  const local = backend({}, async () => path);
  expect(await failure(chat(hello, contextFor(), local))).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("could not be loaded"),
  });
  expect(local.state(target).state).toBe("crashed");
});

test("an error from preparing the weights reaches the caller as it is", async () => {
  const missing = new GatewayError("unavailable", "Run `covey pull tinyllama` first.");
  const local = backend({}, () => Promise.reject(missing));
  expect(await failure(chat(hello, contextFor(), local))).toBe(missing);
});

test("a load that takes too long is 503 with Retry-After while it goes on", async () => {
  const prepared = Promise.withResolvers<void>();
  const slow = async (): Promise<string> => {
    await prepared.promise;
    return weights();
  };
  const local = backend({ loadTimeoutMs: 20 }, slow);
  expect(await failure(chat(hello, contextFor(), local))).toMatchObject({
    kind: "model_loading",
    retryAfter: expect.any(Number),
  });
  expect(local.state(target).state).toBe("loading");
  prepared.resolve();
  while (local.state(target).state === "loading") await Bun.sleep(5);
  expect(await chat(hello, contextFor(), local)).toMatchObject({ completion: 2 });
});

test("a model that can't fit the budget is refused before it is loaded", async () => {
  const local = backend({ memoryBudget: 300 * 2 ** 20 });
  for (let times = 0; times < 3; times++)
    expect(await failure(chat(hello, contextFor(), local))).toMatchObject({
      kind: "model_too_big",
      retryable: false,
      message: expect.stringMatching(/needs \d{3} MB of memory and the budget is 315 MB/),
    });
  // Nothing has failed: there is nothing to back off from.
  expect(local.state(target).state).toBe("loadable");
});

test("a model that has no room only while one that goes is in use may be asked for again", async () => {
  const second: Model = { ...model, id: "second" };
  const other = { ...target, model: second };
  const local = backend({ memoryBudget: 2 ** 30 }, weights, [model]);
  const long = chatRequest("Count.", { max_tokens: 400, stream: true, logit_bias: { "2": -100 } });
  const reply = await replyTo(long, contextFor(), local);
  if (reply.kind !== "stream") throw new Error("expected a stream");
  for await (const _ of reply.events) {
    local.offer([second]);
    const asked = async () => local.operations.chat?.(other, hello, contextFor());
    expect(await failure(asked())).toMatchObject({ kind: "overloaded", retryable: true });
    break;
  }
});

test("another model takes the place of an idle one, and never of one in use", async () => {
  const second: Model = { ...model, id: "second" };
  const other = { ...target, model: second };
  const local = backend({ memoryBudget: 2 ** 30 }, weights, [model, second]);
  await local.preload(model.id);
  const first = pidOf(local);
  await local.preload(second.id);
  expect(isAlive(first)).toBe(false);
  expect([local.state(target).state, local.state(other).state]).toEqual(["loadable", "ready"]);

  const run = local.operations.chat;
  const long = chatRequest("Count.", { max_tokens: 400, stream: true, logit_bias: { "2": -100 } });
  const reply = await run?.(other, long, contextFor());
  if (reply?.kind !== "stream") throw new Error("expected a stream");
  for await (const _ of reply.events) {
    expect(await failure(chat(hello, contextFor(), local))).toMatchObject({ kind: "overloaded" });
    break;
  }
});

test("a model that finds no room is no crash: it is loaded as soon as there is room", async () => {
  const second: Model = { ...model, id: "second" };
  const other = { ...target, model: second };
  const local = backend({ maxLoaded: 1 }, weights, [model, second]);
  const long = chatRequest("Count.", { max_tokens: 400, stream: true, logit_bias: { "2": -100 } });
  const reply = await replyTo(long, contextFor(), local);
  if (reply.kind !== "stream") throw new Error("expected a stream");
  const ask = async () => local.operations.chat?.(other, hello, contextFor());
  for await (const _ of reply.events) {
    for (let times = 0; times < 3; times++) {
      expect(await failure(ask())).toMatchObject({ kind: "overloaded" });
      expect(local.state(other)).toEqual({ state: "loadable", detail: null });
    }
    break;
  }
  while (local.snapshot()[0]?.running !== 0) await Bun.sleep(1);
  expect(await ask()).toMatchObject({ usage: { completion_tokens: 2 } });
});

test("a child that hangs is ended, and its callers are told", async () => {
  const local = backend({ livenessMs: 600 });
  await local.preload(model.id);
  const before = pidOf(local);
  process.kill(before, "SIGSTOP");
  expect(await failure(chat(hello, contextFor(), local))).toMatchObject({ kind: "upstream_error" });
  expect(local.state(target).state).toBe("crashed");
  while (isAlive(before)) await Bun.sleep(1);
});

test("a load that hangs is ended", async () => {
  const local = backend({ livenessMs: 600, loadTimeoutMs: 400 });
  const waiting = failure(local.preload(model.id));
  while (local.snapshot()[0]?.pid === null) await Bun.sleep(1);
  const pid = pidOf(local);
  process.kill(pid, "SIGSTOP");
  expect(await waiting).toMatchObject({ kind: "model_loading" });
  while (isAlive(pid)) await Bun.sleep(5);
  expect(local.state(target).state).toBe("crashed");
});

test("a model that nobody uses is unloaded after keep_alive", async () => {
  const local = backend({ keepAliveMs: 1 });
  await local.preload(model.id);
  const pid = pidOf(local);
  while (local.state(target).state !== "loadable" || isAlive(pid)) await Bun.sleep(10);
});

test("no child outlives a parent that was killed", async () => {
  const parent = Bun.spawn([process.execPath, join(import.meta.dir, "orphan-parent.ts")], {
    stdout: "pipe",
  });
  let output = "";
  for await (const bytes of parent.stdout) {
    output += new TextDecoder().decode(bytes);
    if (output.includes("\n")) break;
  }
  const child = Number(output);
  expect(isAlive(child)).toBe(true);
  parent.kill("SIGKILL");
  await parent.exited;
  while (isAlive(child)) await Bun.sleep(10);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
