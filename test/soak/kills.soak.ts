/**
 * `npm run soak`: a whole gateway killed 100 times (COVEY_SOAK_ROUNDS) at random moments under mixed load, on SQLite, and on
 * a PostgreSQL that crashes as often. COVEY_SOAK_SEED repeats a run's choices.
 */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type CallRow, openStore, type Store } from "../../src/store/index.ts";
import { CUTS_OF } from "../../src/store/rollups.ts";
import { spawnCovey } from "../covey.ts";
import { FAKE_KEY, fakeConfig } from "../e2e/wire.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { hasPostgres, Postgres } from "../postgres.ts";
import { Seeded } from "../seeded.ts";
import { tempFolder } from "../store/calls-fixture.ts";
import { MODELS, mixedLoad, type Told } from "./clients.ts";

const ROUNDS = Number(process.env.COVEY_SOAK_ROUNDS ?? "100");
const SEED = Number(process.env.COVEY_SOAK_SEED ?? String(Date.now() % 1_000_000));
const CLIENTS = 8;
/** Most attempts of one call. */
const ATTEMPTS = 3;
const NO_LIMITS = "[limits.anonymous]\nrequests_per_minute = 0\nconcurrency = 0\n";

test(`on SQLite (seed ${SEED})`, () => soak(null), ROUNDS * 30_000);
test.skipIf(!hasPostgres)(
  `on PostgreSQL (seed ${SEED})`,
  async () => {
    const postgres = await Postgres.start();
    await soak(postgres);
    await postgres.stop();
  },
  ROUNDS * 30_000,
);

async function soak(postgres: Postgres | null): Promise<void> {
  using folder = tempFolder();
  const home = join(folder.path, "home");
  const file = join(folder.path, "covey.toml");
  const url = (await postgres?.database()) ?? null;
  const random = new Seeded(SEED);
  const upstream = fakeUpstream();
  writeFileSync(file, fakeConfig(upstream, MODELS, NO_LIMITS));
  const secret = "soak-secret-0123456789abcdef0123456789abcdef";
  const env = {
    FAKE_KEY,
    ...(url === null ? {} : { DATABASE_URL: url, COVEY_SECRET: secret }),
  };
  const told: Told[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const covey = await spawnCovey(["--home", home, "--config", file], env);
    const load = mixedLoad(covey.url, CLIENTS, random);
    const trouble = postgres !== null && random.chance(0.7) ? restart(postgres, random) : null;
    await Bun.sleep(20 + random.below(2500));
    covey.kill("SIGKILL");
    await covey.exited;
    told.push(...(await load));
    await trouble;
    if (round % 10 === 9) console.log(`${round + 1} kills, ${told.length} calls`);
  }
  const store = openStore({ home, durability: "process", version: "soak", databaseUrl: url });
  expect(await store.caughtUp(120_000)).toBe(true);
  expectAllThere(told, await allRows(store), upstream);
  await expectSums(store);
  await store.close();
  await upstream.close();
}

async function restart(postgres: Postgres, random: Seeded): Promise<void> {
  await Bun.sleep(random.below(1000));
  await postgres.crash();
  await Bun.sleep(random.below(600));
  await postgres.run();
}

/** Every call that a client or the upstream knows of is in the log once, as it ended, with what it used. */
function expectAllThere(
  told: readonly Told[],
  rows: readonly CallRow[],
  upstream: FakeUpstream,
): void {
  const byId = new Map(rows.map((row) => [row.id, row]));
  expect(byId.size).toBe(rows.length);
  expect(rows.filter(({ status }) => status === "running")).toEqual([]);
  for (const call of told) {
    if (call.id === null) continue;
    const row = byId.get(call.id);
    if (row === undefined) throw new Error(`a call of ${call.model} is lost: ${call.id}`);
    // Its last bytes can come before the end is written, and never before its beginning is.
    if (call.whole && row.status !== "interrupted") {
      expect([row.id, row.http_status]).toEqual([call.id, call.httpStatus]);
    }
    const words = call.text.split(" ").length;
    if (row.status === "completed") expect(row.completion_tokens).toBe(words);
    if (call.model !== "endless-20") expect(row.completion_tokens).toBeLessThanOrEqual(2 * words);
  }
  // What the upstream was asked is what is written down as asked, but for what a kill cut short.
  const settled = rows.reduce((sum, row) => sum + row.attempts.length, 0);
  const interrupted = rows.filter(({ status }) => status === "interrupted");
  const served = upstream.requests.length;
  console.log(
    `${rows.length} rows, ${interrupted.length} interrupted; ${served} requests upstream, ${settled} of them settled`,
  );
  expect(settled).toBeLessThanOrEqual(served + rows.filter(isUnasked).length);
  expect(served - settled).toBeLessThanOrEqual(ATTEMPTS * interrupted.length);
  const whole = upstream.requests.filter((request) => request.ended?.how === "whole").length;
  const completed = rows.filter(({ status }) => status === "completed").length;
  expect(completed).toBeLessThanOrEqual(whole);
  expect(interrupted.length).toBeGreaterThan(ROUNDS / 2);
}

/** An attempt that ended before the upstream had read it. */
function isUnasked(row: CallRow): boolean {
  return row.attempts.some(({ error, took_ms }) => error !== null || took_ms < 50);
}

async function allRows(store: Store): Promise<CallRow[]> {
  const rows: CallRow[] = [];
  for (;;) {
    const last = rows.at(-1);
    const before = last === undefined ? {} : { before: last.id };
    const page = await store.calls.listCalls({ limit: 1000, ...before });
    rows.push(...page);
    if (page.length < 1000) return rows;
  }
}

const Sums = z.array(
  z.object({ calls: z.coerce.number(), tokens: z.coerce.number(), tries: z.coerce.number() }),
);

/** Minutes, hours and days, in each of their cuts, add up to what the rows do. */
async function expectSums(store: Store): Promise<void> {
  const ask = async (text: string) => Sums.parse(await store.query(text, []))[0];
  const rows = await allRows(store);
  const expected = {
    calls: rows.reduce((sum, row) => sum + row.calls, 0),
    tokens: rows.reduce((sum, row) => sum + row.completion_tokens, 0),
    tries: rows.reduce((sum, row) => sum + row.attempts.length, 0),
  };
  for (const span of ["minutes", "hours", "days"] as const) {
    for (const cut of CUTS_OF[span]) {
      const sums = await ask(
        `SELECT SUM(calls) AS calls, SUM(completion_tokens) AS tokens, SUM(attempts) AS tries
          FROM ${span} WHERE cut = '${cut}'`,
      );
      expect([span, cut, sums]).toEqual([span, cut, expected]);
    }
  }
}
