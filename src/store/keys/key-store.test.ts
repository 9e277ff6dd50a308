import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPostgres, postgresDatabase } from "../../../test/postgres.ts";
import type { KeySettings, KeyStore } from "../../types.ts";
import { type Database, openDatabase } from "../projection/database.ts";
import { KeyFollower } from "./follow-keys.ts";
import { KeyIndex } from "./key-index.ts";
import { keyStore, type Run } from "./key-store.ts";
import { ServerSecret } from "./secret.ts";

const SETTINGS: KeySettings = {
  name: "ci",
  owner: "ops",
  role: "key",
  plan: null,
  models: ["qwen/*", "a'b"],
  endpoints: ["chat"],
  budget: { period: "month", nanoUsd: 9_000_000_000_000_001 },
  tags: ["x", '"y"'],
  payloads: "sampled",
  expiresAt: 4_102_444_800_000,
};
const secret = new ServerSecret("a secret of the test's, long enough");

describe.each(["sqlite", "postgres"])("on %s", (dialect) => {
  const it = test.skipIf(dialect === "postgres" && !hasPostgres);
  let folder: string;
  let opened: Database[];
  let at: string;
  let now: number;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "covey-key-store-"));
    opened = [];
    now = 1_700_000_000_000;
    at = join(folder, "covey.db");
    if (dialect === "postgres" && hasPostgres) at = await postgresDatabase();
  });
  afterEach(async () => {
    for (const database of opened) await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function connect(): Promise<{ run: Run; keys: KeyStore }> {
    const database = await openDatabase(at);
    opened.push(database);
    const run: Run = async (text, values) => {
      const rows: Iterable<unknown> = await database.sql.unsafe(text, values);
      return [...rows];
    };
    return { run, keys: keyStore({ read: run, write: run, secret, now: () => now++ }) };
  }

  it("a key comes back as it was made, by id, prefix, shown prefix and name", async () => {
    const { keys } = await connect();
    const { key, secret: text } = await keys.create(SETTINGS);
    expect(key).toMatchObject({ ...SETTINGS, createdAt: 1_700_000_000_000, revokedAt: null });
    for (const which of [key.id, key.prefix, `sk-covey-${key.prefix}`, text, "ci"]) {
      expect(await keys.find(which)).toEqual(key);
    }
    const changed = await keys.update("ci", { models: null, budget: null, expiresAt: null });
    expect(changed).toEqual({ ...key, models: null, budget: null, expiresAt: null });
    expect(await keys.list()).toEqual([changed]);
  });

  it("a rotation tells which text it leaves open, and until when", async () => {
    const { keys } = await connect();
    const { key } = await keys.create(SETTINGS);
    expect(key.previous).toBeNull();
    const { key: rotated } = await keys.rotate(key.id, 5000);
    expect(rotated.previous?.prefix).toBe(key.prefix);
    expect(rotated.previous?.until).toBeGreaterThan(1_700_000_005_000);
    expect((await keys.find("ci")).previous).toEqual(rotated.previous);
    expect((await keys.list())[0]?.previous).toEqual(rotated.previous);
  });

  it("what is revoked stays revoked", async () => {
    const { keys } = await connect();
    const { key } = await keys.create(SETTINGS);
    const { revokedAt } = await keys.revoke(key.id);
    expect(await keys.revoke(key.id)).toMatchObject({ revokedAt });
    for (const act of [
      () => keys.enable(key.id),
      () => keys.update(key.id, {}),
      () => keys.rotate(key.id, 5),
    ]) {
      await expect(act()).rejects.toThrow("is revoked, which is for good");
    }
  });

  it("a follower sees every change of many writers, each by itself, and reads only what is new", async () => {
    const writers = [await connect(), await connect(), await connect()];
    const reader = await connect();
    let rows = 0;
    const index = new KeyIndex(secret);
    const follower = new KeyFollower(index, async (text, values) => {
      const read = await reader.run(text, values);
      if (Array.isArray(read) && text.includes("ORDER BY")) rows += read.length;
      return read;
    });
    const texts: string[] = [];
    await Promise.all(
      writers.map(async ({ keys }, writer) => {
        for (let i = 0; i < 20; i++) {
          texts.push((await keys.create({ ...SETTINGS, name: `${writer}-${i}` })).secret);
          // One look at a time, as in a gateway.
          if (writer === 0) await follower.look();
        }
      }),
    );
    await follower.look();
    expect(texts.filter((text) => index.find(text) === null)).toEqual([]);
    expect(rows).toBe(60);
    await writers[0]?.keys.revoke("1-7");
    await follower.look();
    await follower.look();
    expect(rows).toBe(61);
    expect(texts.filter((text) => index.find(text)?.revokedAt !== null)).toHaveLength(1);
  }, 30_000);
});

test("while the database is silent the last known keys stay, and it is said; an older copy of it counts as it is", async () => {
  const index = new KeyIndex(secret);
  let rows: unknown[] = [];
  let silent = false;
  const read = async (text: string): Promise<unknown> => {
    if (silent) throw new Error("no database");
    return text.includes("MAX") ? [{ version: rows.length }] : rows;
  };
  const written: unknown[] = [];
  const store = keyStore({
    read: async () => [],
    write: async (_, values) => {
      const [id, prefix, hash, secret_mark, name, owner, role] = values;
      const row = { id, prefix, hash, secret_mark, name, owner, role, version: written.length + 1 };
      const nothing = { previous_prefix: null, previous_hash: null, previous_until: null };
      const none = { plan: null, models: null, endpoints: null, tags: "[]", payloads: null };
      const money = { budget_period: null, budget_nano_usd: null };
      const dates = { created_at: 1, expires_at: null, disabled_at: null, revoked_at: null };
      written.push({ ...row, ...nothing, ...none, ...money, ...dates });
      return written.slice(-1);
    },
    secret,
  });
  const follower = new KeyFollower(index, read);
  expect(follower.known).toBe(false);
  const { secret: text } = await store.create(SETTINGS);
  rows = written;
  await follower.look();
  expect([follower.known, follower.trouble(performance.now())]).toEqual([true, null]);
  silent = true;
  await expect(follower.look()).rejects.toThrow("no database");
  expect(index.find(text)).not.toBeNull();
  const later = performance.now() + 60_000;
  expect(follower.trouble(later)).toContain("has not answered for 60 s");
  silent = false;
  rows = [];
  await follower.look();
  expect([index.find(text), index.exist]).toEqual([null, true]);
});
