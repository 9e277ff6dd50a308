import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ANY_KEY } from "../../../test/any-key.ts";
import { allFiles } from "../../../test/e2e/files.ts";
import { until } from "../../../test/store/calls-fixture.ts";
import type { Caller, CapturedCall, Key } from "../../types.ts";
import { type PayloadOptions, PayloadStore } from "./client.ts";

/** The real thread, the real database, real files. */

const OPTIONS: PayloadOptions = {
  mode: "on",
  sampleRate: 0.25,
  patterns: ["hunter\\d"],
  secrets: ["the-provider's-own-key"],
  maxBytes: 10_000,
  quotaBytes: 1e9,
  retentionMs: 3_600_000,
  imageQuotaBytes: 1e6,
  maxPendingBytes: 1e6,
};
/** 1 by 1 pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const folders: string[] = [];
const stores: PayloadStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close(1000);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "covey-payloads-"));
  folders.push(path);
  return join(path, "payloads");
}

function open(
  at: string,
  changes: Partial<PayloadOptions> = {},
  random = Math.random,
): PayloadStore {
  const store = new PayloadStore(at, { ...OPTIONS, ...changes }, random);
  stores.push(store);
  return store;
}

const call = (id: string, text: string, at = Date.now()): CapturedCall => ({
  id,
  at,
  request: { model: "m", messages: [{ role: "user", content: text }] },
  answer: { choices: [{ index: 0, text: `you said: ${text}` }] },
});
const imageCall = (id: string, bytes: Uint8Array): CapturedCall =>
  call(id, `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`);
const images = (at: string) => readdirSync(join(at, "images"));

const KEY: Key = { ...ANY_KEY, name: "" };
const callerOf = (payloads: Key["payloads"]): Caller => ({
  keyId: KEY.id,
  role: "key",
  key: { ...KEY, payloads },
});

describe("what is kept", () => {
  test("is decided by the key, else by the config, else by chance", () => {
    const off = open(folder(), { mode: "off" }, () => 0.2);
    const on = open(folder(), { mode: "on" }, () => 0.9);
    const lucky = open(folder(), { mode: "sampled" }, () => 0.2);
    const unlucky = open(folder(), { mode: "sampled" }, () => 0.25);
    const modes: Key["payloads"][] = [null, "off", "sampled", "on"];
    const asked = (store: PayloadStore) => modes.map((mode) => store.wants(callerOf(mode)));
    expect(asked(off)).toEqual([false, false, true, true]);
    expect(asked(on)).toEqual([true, false, false, true]);
    expect(asked(lucky)).toEqual([true, false, true, true]);
    expect(asked(unlucky)).toEqual([false, false, false, true]);
  });

  test("nothing is made on disk before the first payload", async () => {
    const at = folder();
    const store = open(at);
    expect(await store.read("none")).toBeNull();
    expect(existsSync(at)).toBe(false);
  });

  test("can be read back, redacted, in this process and the next", async () => {
    const at = folder();
    const store = open(at);
    store.keep(call("c1", "hunter2 wrote to ada@example.com with sk-1234567890abcdef"));
    await store.settled();
    const text = "[redacted] wrote to [email] with [key]";
    const expected = {
      request: { model: "m", messages: [{ role: "user", content: text }] },
      answer: { choices: [{ index: 0, text: `you said: ${text}` }] },
      truncated: false,
    };
    expect(await store.read("c1")).toMatchObject(expected);
    await store.close(1000);
    expect(await open(at).read("c1")).toMatchObject(expected);
    expect(statSync(join(at, "payloads.db")).mode & 0o777).toBe(0o600);
    expect(statSync(at).mode & 0o777).toBe(0o700);
    for (const secret of ["hunter2", "ada@example.com", "sk-1234567890abcdef"]) {
      expect(allFiles(at).some((file) => file.includes(secret))).toBe(false);
    }
  });

  test("is cut at its limit, after it was redacted", async () => {
    const store = open(folder(), { maxBytes: 2000 });
    store.keep(call("c1", `${"x".repeat(1900)} hunter2 ${"y".repeat(5000)}`));
    await store.settled();
    const payload = await store.read("c1");
    expect(payload?.truncated).toBe(true);
    expect(JSON.stringify(payload?.request).length).toBeLessThan(2300);
    expect(JSON.stringify(payload)).not.toContain("hunt");
  });
});

describe("under pressure", () => {
  test("payloads are dropped and counted, and nobody waits", async () => {
    const store = open(folder(), { maxPendingBytes: 50_000 });
    const started = performance.now();
    for (let i = 0; i < 200; i++) store.keep(call(`c${i}`, "x".repeat(2000)));
    expect(performance.now() - started).toBeLessThan(200);
    const { pendingBytes, dropped } = store.state();
    expect(pendingBytes).toBeLessThanOrEqual(50_000);
    expect(dropped).toBeGreaterThan(150);
    await store.settled();
    const after = store.state();
    expect(after.kept + after.dropped).toBe(200);
    expect(after.pendingBytes).toBe(0);
    store.keep(call("later", "there is room again"));
    await store.settled();
    expect(await store.read("later")).not.toBeNull();
  });

  test("a single payload larger than all the room is dropped", async () => {
    const store = open(folder(), { maxPendingBytes: 10_000 });
    store.keep(call("c1", "x".repeat(100_000)));
    expect(store.state()).toMatchObject({ dropped: 1, pendingBytes: 0 });
  });

  test("a rule too complex for a text keeps the text away, not the process", async () => {
    const store = open(folder(), { patterns: ["(a|b)*a(a|b){18}c"] });
    let seed = 1;
    const bits = Array.from({ length: 50_000 }, () => {
      seed = (seed * 16807) % 2147483647;
      return seed % 2 === 0 ? "a" : "b";
    });
    store.keep(call("c1", bits.join("")));
    store.keep(call("c2", "plain"));
    await store.settled();
    expect(await store.read("c1")).toBeNull();
    expect(await store.read("c2")).not.toBeNull();
    expect(store.state()).toMatchObject({
      kept: 1,
      failed: 1,
      lastFailure: "a redaction rule could not be applied",
    });
  });

  test("a folder that can't be written costs the payloads, and is said", async () => {
    const at = folder();
    writeFileSync(at, "a file where the folder should be");
    const store = open(at);
    store.keep(call("c1", "x"));
    await store.settled();
    expect(store.state()).toMatchObject({ kept: 0, failed: 1, pendingBytes: 0 });
  });
});

describe("images", () => {
  test("are stored once by their hash, whoever sends them", async () => {
    const at = folder();
    const store = open(at);
    for (let i = 0; i < 5; i++) store.keep(imageCall(`c${i}`, PNG));
    await store.settled();
    const hash = createHash("sha256").update(PNG).digest("hex");
    expect(images(at)).toEqual([`${hash}.png`]);
    expect(JSON.stringify(await store.read("c4"))).toContain(
      `[image/png 1x1, ${PNG.byteLength} bytes, sha256:${hash}]`,
    );
    expect(await store.image(hash)).toEqual({
      file: join(at, "images", `${hash}.png`),
      type: "image/png",
    });
    for (const wrong of ["0".repeat(64), "../payloads.db", `${hash}'`, ""]) {
      expect(await store.image(wrong)).toBeNull();
    }
  });

  test("whose comment a rule finds, and what only claims to be one, are not kept", async () => {
    const at = folder();
    const store = open(at);
    store.keep(imageCall("c1", Buffer.concat([PNG, Buffer.from("by ada@example.com")])));
    store.keep(imageCall("c2", Buffer.from("hunter2 is no image, whatever its type says it is")));
    await store.settled();
    expect(images(at)).toEqual([]);
    expect(JSON.stringify(await store.read("c1"))).toContain("withheld by a rule");
    expect(JSON.stringify(await store.read("c2"))).toContain("not kept");
  });

  test("have a quota of their own: those seen least recently go", async () => {
    const at = folder();
    const different = (i: number) => Buffer.concat([PNG, Buffer.alloc(1000, i)]);
    const store = open(at, { imageQuotaBytes: 5000 });
    for (let i = 1; i <= 20; i++) store.keep(imageCall(`c${i}`, different(i)));
    await store.settled();
    const last = createHash("sha256").update(different(20)).digest("hex");
    expect(images(at).length).toBe(4);
    expect(images(at)).toContain(`${last}.png`);
  });

  test("that a crash left without a row are swept away at the next start", async () => {
    const at = folder();
    const store = open(at);
    store.keep(imageCall("c1", PNG));
    await store.settled();
    await store.close(1000);
    writeFileSync(join(at, "images", `${"a".repeat(64)}.png`), "left over");
    writeFileSync(join(at, "images", `${"b".repeat(64)}.png.new`), "half");
    const next = open(at);
    expect(await next.read("c1")).not.toBeNull();
    expect(images(at).length).toBe(1);
  });
});

describe("what is too old or too much", () => {
  test("is deleted, the oldest first, and its room is given back", async () => {
    const at = folder();
    const store = open(at, { quotaBytes: 300_000, maxPendingBytes: 1e7, maxBytes: 1e6 });
    for (let i = 0; i < 400; i++) store.keep(call(`c${i}`, `${i} `.repeat(1500), Date.now() + i));
    await store.settled();
    await until(() => store.state().bytes > 0 && store.state().bytes <= 300_000);
    expect(await store.read("c0")).toBeNull();
    expect(await store.read("c399")).not.toBeNull();
    expect(statSync(join(at, "payloads.db")).size).toBeLessThan(1_500_000);
  });

  test("is deleted by its age, also where nothing is kept any more", async () => {
    const at = folder();
    const store = open(at);
    store.keep(call("old", "x", Date.now() - 10_000));
    store.keep(call("new", "x"));
    await store.settled();
    await store.close(1000);
    const next = open(at, { mode: "off", retentionMs: 5000 });
    await until(async () => (await next.read("old")) === null);
    expect(await next.read("new")).not.toBeNull();
  });
});

test("rules can be changed while it runs", async () => {
  const store = open(folder());
  store.keep(call("c1", "hunter2 swordfish"));
  await store.settled();
  store.configure({ ...OPTIONS, patterns: ["swordfish"] });
  store.keep(call("c2", "hunter2 swordfish"));
  await store.settled();
  expect(JSON.stringify(await store.read("c1"))).toContain("[redacted] swordfish");
  expect(JSON.stringify(await store.read("c2"))).toContain("hunter2 [redacted]");
});
