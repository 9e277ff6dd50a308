/**
 * `bun bench/fill-calls.ts (--home FOLDER | --database URL) [--calls 10000000] [--days 90] [--until ISO]`: a call log
 * of so many made-up calls with its rollups, for measuring what reads it. On an empty database only. Minutes
 * are made for the last two days, hours for the last 90, as retention leaves them.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { SQL } from "bun";
import { z } from "zod";
import { addUpSpan, type Ended } from "../src/store/projection/add-up.ts";
import type { Row } from "../src/store/projection/coalesce.ts";
import { type Database, openDatabase } from "../src/store/projection/database.ts";
import { upsert } from "../src/store/projection/ingest.ts";
import { SPANS, type Span } from "../src/store/rollups.ts";
import { Seeded } from "../test/seeded.ts";
import { madeUpCall } from "./made-up-calls.ts";

const HOUR = SPANS.hours;
const DAY = SPANS.days;
/** Whose log it is. Another gateway's: one that opens the database later goes on beside it. */
const GATEWAY = "filled";

export interface Fill {
  readonly calls: number;
  readonly days: number;
  /** Unix milliseconds of the newest call. */
  readonly until: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

/** Fills an open, empty database. */
export async function fillCalls(database: Database, fill: Fill): Promise<void> {
  const { sql, dialect } = database;
  const random = new Seeded(fill.seed).next;
  const first = Math.floor((fill.until - fill.days * DAY) / DAY) * DAY;
  const hours = hoursOf(first, fill.until, fill.calls);
  const restore = dialect === "sqlite" ? await prepareSqlite(sql) : null;
  let day: Ended[] = [];
  let done = 0;
  for (const [n, { at, calls }] of hours.entries()) {
    const rows = rowsOf(at, Math.min(HOUR, fill.until - at), calls, random);
    const ended = await sql.begin(async (transaction) => {
      const ended = await upsert(transaction, dialect, GATEWAY, rows);
      const spans = spansAt(at, fill.until);
      for (const span of spans) await addUpSpan(transaction, dialect, span, ended);
      return ended;
    });
    day.push(...ended);
    const next = hours[n + 1]?.at;
    if (next === undefined || Math.floor(next / DAY) !== Math.floor(at / DAY)) {
      const whole = day;
      day = [];
      await sql.begin((transaction) => addUpSpan(transaction, dialect, "days", whole));
    }
    done += calls;
    fill.onProgress?.(done);
  }
  await restore?.();
  // As autovacuum would; SQLite's planner works without statistics in Covey.
  if (dialect === "postgres") await sql.unsafe("VACUUM ANALYZE");
}

/** How many calls each hour has: at night a third of what there is at noon. */
function hoursOf(first: number, until: number, calls: number): { at: number; calls: number }[] {
  const hours: { at: number; weight: number }[] = [];
  for (let at = first; at < until; at += HOUR) {
    const hour = (at % DAY) / HOUR;
    const share = Math.min(1, (until - at) / HOUR);
    hours.push({ at, weight: share * (2 - Math.cos((hour / 24) * 2 * Math.PI)) });
  }
  const all = hours.reduce((sum, { weight }) => sum + weight, 0);
  let made = 0;
  let sum = 0;
  return hours.map(({ at, weight }) => {
    sum += weight;
    const upTo = Math.round((sum / all) * calls);
    const here = upTo - made;
    made = upTo;
    return { at, calls: here };
  });
}

function rowsOf(at: number, length: number, calls: number, random: () => number): Row[] {
  const times = Array.from({ length: calls }, () => Math.floor(at + random() * length));
  return times.sort((a, b) => a - b).map((time) => madeUpCall(time, random));
}

function spansAt(at: number, until: number): Span[] {
  if (at >= until - 2 * DAY - HOUR) return ["minutes", "hours"];
  return at >= until - 90 * DAY ? ["hours"] : [];
}

const Indices = z.array(z.object({ name: z.string(), sql: z.string() }));

/** Without indices, which are made at the end, and without care: a file that breaks is made again. */
async function prepareSqlite(sql: SQL): Promise<() => Promise<void>> {
  const rows: Iterable<unknown> = await sql.unsafe(
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('calls', 'minutes', 'hours', 'days')",
  );
  const indices = Indices.parse([...rows]);
  for (const { name } of indices) await sql.unsafe(`DROP INDEX ${name}`);
  for (const pragma of ["synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY"]) {
    await sql.unsafe(`PRAGMA ${pragma}`);
  }
  return async () => {
    for (const index of indices) await sql.unsafe(index.sql);
    await sql.unsafe("PRAGMA wal_checkpoint(TRUNCATE)");
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      home: { type: "string" },
      database: { type: "string" },
      calls: { type: "string", default: "10000000" },
      days: { type: "string", default: "90" },
      until: { type: "string", default: new Date().toISOString() },
      seed: { type: "string", default: "1" },
    },
  });
  const where = values.database ?? (values.home === undefined ? null : homeFile(values.home));
  if (where === null) throw new Error("give --home FOLDER, or --database postgres://…");
  const database = await openDatabase(where);
  const calls = Number(values.calls);
  const started = performance.now();
  let told = 0;
  await fillCalls(database, {
    calls,
    days: Number(values.days),
    until: Date.parse(values.until),
    seed: Number(values.seed),
    onProgress: (done) => {
      if (performance.now() - told < 5000) return;
      told = performance.now();
      console.log(`${done} calls, ${Math.round(done / ((told - started) / 1000))} a second`);
    },
  });
  await database.close();
  console.log(`${calls} calls in ${Math.round((performance.now() - started) / 1000)} s`);
}

function homeFile(home: string): string {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return join(home, "covey.db");
}
