import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { tempFolder } from "../../../test/store/calls-fixture.ts";
import { callsBy, openCallsReadonly } from "../calls.ts";
import { encode, encodedBound } from "../record.ts";
import { JournalRecord } from "../schema.ts";
import { listSegments, segmentPath } from "../segment.ts";
import { openDatabase, openReadonly, readPosition } from "./database.ts";
import { ingest, type Position } from "./ingest.ts";
import { nextPiece } from "./tail.ts";

const MINUTE = 29_000_000;
const AT = MINUTE * 60_000;
const START: Position = { segment: 0, offset: 0, skippedBytes: 0 };

const reserve = (id: string, at = AT): JournalRecord => ({
  t: "reserve",
  id,
  at,
  endpoint: "/v1/completions",
  model: "m",
  keyId: "k",
  stream: true,
  requestId: "theirs",
  referer: "https://example.com/",
  title: "An app",
});

const attempt = {
  provider: "a",
  upstreamId: "m@a",
  model: "m",
  startMs: 1,
  tookMs: 100,
  completionTokens: 20,
  malformedEvents: 0,
};

const settle = (id: string, tokens = 10): JournalRecord => ({
  t: "settle",
  id,
  at: AT + 500,
  status: "completed",
  httpStatus: 200,
  error: null,
  provider: "local",
  finishReason: "length",
  promptTokens: tokens,
  completionTokens: tokens * 2,
  cachedTokens: 1,
  usageSource: "upstream",
  queueMs: 1.5,
  firstTokenMs: 20,
  totalMs: 500,
  droppedParams: ["top_a"],
  costNanoUsd: tokens * 1500,
  providerCostNanoUsd: tokens * 1400,
  attempts: [
    { ...attempt, error: "upstream_error", how: "first", completionTokens: 4 },
    { ...attempt, provider: "b", startMs: 120, error: null, how: "continue", malformedEvents: 1 },
  ],
});

const progress = (id: string, completion: number): JournalRecord => ({
  t: "progress",
  at: AT + 100,
  calls: [[id, 5, completion, 2, "counted", 0.25, 30]],
});

const boot = { t: "boot", at: AT + 60_000, version: "1" } as const satisfies JournalRecord;

async function database(folder: string) {
  const sql = await openDatabase(join(folder, "covey.db"));
  const calls = callsBy((text, values) => sql.unsafe(text, values));
  const state = async () => ({
    rows: z
      .array(z.looseObject({ id: z.string() }))
      .parse(await sql.unsafe("SELECT * FROM calls ORDER BY started_at DESC, id DESC")),
    counters: await calls.counters(),
  });
  return { sql, calls, state };
}

function write(dir: string, segment: number, bytes: Buffer): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(segmentPath(dir, segment), bytes);
}

function bytesOf(records: readonly JournalRecord[]): Buffer {
  const texts = records.map((record) => JSON.stringify(record));
  const buffer = Buffer.alloc(encodedBound(texts));
  return buffer.subarray(0, encode(texts, buffer));
}

/** Reads a whole journal folder into the database, from the database's own position. */
async function replay(dir: string, db: Awaited<ReturnType<typeof database>>): Promise<Position> {
  const last = listSegments(dir).at(-1) ?? 0;
  const end = { segment: last, offset: readFileSync(segmentPath(dir, last)).length };
  for (;;) {
    const position = await readPosition(db.sql);
    const piece = nextPiece(dir, position, end);
    if (piece === null) return position;
    await ingest(db.sql, piece.records, piece.next);
  }
}

describe("the projection", () => {
  test("makes one row of a call's records, with everything in them", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    await ingest(db.sql, [reserve("a"), progress("a", 3), settle("a")], START);
    expect(await db.calls.getCall("a")).toEqual({
      id: "a",
      started_at: AT,
      ended_at: AT + 500,
      endpoint: "/v1/completions",
      model: "m",
      provider: "local",
      key_id: "k",
      stream: true,
      request_id: "theirs",
      referer: "https://example.com/",
      title: "An app",
      status: "completed",
      http_status: 200,
      error: null,
      finish_reason: "length",
      prompt_tokens: 10,
      completion_tokens: 20,
      cached_tokens: 1,
      usage_source: "upstream",
      queue_ms: 1.5,
      first_token_ms: 20,
      total_ms: 500,
      dropped_params: ["top_a"],
      cost_nano_usd: 15_000,
      provider_cost_nano_usd: 14_000,
      attempts: [
        {
          provider: "a",
          upstream_id: "m@a",
          model: "m",
          start_ms: 1,
          took_ms: 100,
          error: "upstream_error",
          how: "first",
          completion_tokens: 4,
          malformed_events: 0,
        },
        {
          provider: "b",
          upstream_id: "m@a",
          model: "m",
          start_ms: 120,
          took_ms: 100,
          error: null,
          how: "continue",
          completion_tokens: 20,
          malformed_events: 1,
        },
      ],
      resumed: 1,
      calls: 1,
    });
    expect(await db.calls.counters()).toEqual([
      {
        minute: MINUTE,
        key_id: "k",
        model: "m",
        provider: "local",
        endpoint: "/v1/completions",
        status: "completed",
        error: "",
        calls: 1,
        prompt_tokens: 10,
        completion_tokens: 20,
        cached_tokens: 1,
        cost_nano_usd: 15_000,
      },
    ]);
    await db.sql.close();
  });

  test("gives the same rows and counters however the records are cut into batches", async () => {
    using folder = tempFolder();
    const records: JournalRecord[] = [
      reserve("a"),
      reserve("b"),
      progress("a", 3),
      settle("b"),
      boot,
      reserve("c", AT + 61_000),
      progress("c", 8),
      settle("c"),
      reserve("d", AT + 62_000),
      progress("d", 4),
      progress("d", 6),
    ];
    const states: unknown[] = [];
    for (let size = 1; size <= records.length; size++) {
      mkdirSync(join(folder.path, `${size}`));
      const db = await database(join(folder.path, `${size}`));
      for (let from = 0; from < records.length; from += size) {
        await ingest(db.sql, records.slice(from, from + size), START);
      }
      states.push(await db.state());
      await db.sql.close();
    }
    for (const state of states) expect(state).toEqual(states[0]);
    expect(states[0]).toMatchObject({
      rows: [
        {
          id: "d",
          status: "running",
          completion_tokens: 6,
          usage_source: "counted",
          queue_ms: 0.25,
        },
        { id: "c", status: "completed", completion_tokens: 20 },
        { id: "b", status: "completed" },
        { id: "a", status: "interrupted", completion_tokens: 3, ended_at: AT + 60_000 },
      ],
    });
  });

  test("read twice, a journal gives the same rows and counters as read once", async () => {
    using folder = tempFolder();
    const dir = join(folder.path, "journal");
    const records: JournalRecord[] = [boot];
    for (let n = 0; n < 5000; n++) {
      records.push(reserve(`c${n}`, AT + n));
      if (n % 2 === 0) records.push(progress(`c${n}`, n));
      if (n % 3 !== 0) records.push(settle(`c${n}`, n));
    }
    const refused = { endpoint: "/x", keyId: "k", httpStatus: 404, error: "not_found" };
    const alone = { model: "?", known: true, requestId: null };
    records.push({ t: "refuse", id: "r1", at: AT, ...alone, ...refused });
    records.push({ t: "refused", id: "r2", at: AT, count: 1234, ...refused });
    write(dir, 1, bytesOf(records));
    write(dir, 2, bytesOf([boot, reserve("last", AT + 9_000_000)]));
    const db = await database(folder.path);
    const position = await replay(dir, db);
    const once = await db.state();
    expect(position.segment).toBe(2);
    expect(await replay(dir, db)).toEqual(position);
    expect(await db.state()).toEqual(once);

    await db.sql.unsafe("UPDATE journal_position SET segment = 0, byte_offset = 0");
    await replay(dir, db);
    const twice = await db.state();
    // The second reading passes a boot after `last` was reserved; everything else is as it was.
    const without = (rows: typeof once.rows) => rows.filter((row) => row.id !== "last");
    expect(without(twice.rows)).toEqual(without(once.rows));
    expect(twice.counters.filter((row) => row.minute === MINUTE)).toEqual(once.counters);
    const total = once.counters.reduce((sum, row) => sum + row.calls, 0);
    expect(total).toBe(5000 + 1 + 1234);
    await db.sql.close();
  });

  test("skips a torn tail and a damaged middle, and counts their bytes", async () => {
    using folder = tempFolder();
    const dir = join(folder.path, "journal");
    const torn = bytesOf([reserve("b")]);
    const damaged = Buffer.from(bytesOf([reserve("d")]));
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    write(dir, 1, Buffer.concat([bytesOf([boot, reserve("a")]), torn.subarray(0, 50)]));
    write(dir, 2, Buffer.concat([bytesOf([boot, reserve("c")]), damaged, bytesOf([settle("c")])]));
    const db = await database(folder.path);
    const position = await replay(dir, db);
    expect(position.skippedBytes).toBe(50 + damaged.length);
    const rows = await db.calls.listCalls({ limit: 10 });
    expect(rows.map(({ id, status }) => [id, status])).toEqual([
      ["c", "completed"],
      ["a", "interrupted"],
    ]);
    await db.sql.close();
  });

  test("reads a new journal from its start when the old one was thrown away", async () => {
    using folder = tempFolder();
    const dir = join(folder.path, "journal");
    write(dir, 1, bytesOf([boot, reserve("a")]));
    const db = await database(folder.path);
    await db.sql.unsafe("UPDATE journal_position SET segment = 57, byte_offset = 100");
    await replay(dir, db);
    expect(await db.calls.getCall("a")).not.toBeNull();
    await db.sql.close();
  });

  test("a transaction that fails leaves rows, counters and position as they were", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    await ingest(db.sql, [reserve("a")], { segment: 1, offset: 10, skippedBytes: 0 });
    await db.sql.unsafe(
      "CREATE TRIGGER broken BEFORE UPDATE ON journal_position BEGIN SELECT RAISE(ABORT, 'broken'); END",
    );
    const next = { segment: 1, offset: 20, skippedBytes: 0 };
    await expect(ingest(db.sql, [settle("a")], next)).rejects.toThrow("broken");
    expect(await db.calls.getCall("a")).toMatchObject({ status: "running" });
    expect(await db.calls.counters()).toEqual([]);
    expect(await readPosition(db.sql)).toMatchObject({ offset: 10 });
    await db.sql.close();
  });

  test("keeps an end whose beginning was lost", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    await ingest(db.sql, [settle("a")], START);
    expect(await db.calls.getCall("a")).toMatchObject({
      started_at: AT,
      status: "completed",
      prompt_tokens: 10,
      model: "",
    });
    await db.sql.close();
  });

  test("only a call's first end counts", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    await ingest(db.sql, [reserve("a"), settle("a", 10), settle("a", 99)], START);
    await ingest(db.sql, [settle("a", 77)], START);
    await ingest(db.sql, [boot, settle("a", 78)], START);
    expect(await db.calls.getCall("a")).toMatchObject({ prompt_tokens: 10 });
    expect(await db.calls.counters()).toMatchObject([{ calls: 1, prompt_tokens: 10 }]);
    await db.sql.close();
  });

  test("a refused call's row says what a stranger typed, its counters only that it is no endpoint", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    const refusal = (id: string, endpoint: string, known: boolean): JournalRecord => {
      const rest = {
        keyId: "k",
        httpStatus: 404,
        error: "not_found",
        model: null,
        requestId: null,
      };
      return { t: "refuse", id, at: AT, endpoint, known, ...rest };
    };
    const records = ["/a", "/b", "/c"].map((path) => refusal(path, path, false));
    await ingest(db.sql, [...records, refusal("d", "/v1/completions", true)], START);
    const rows = await db.calls.listCalls({ limit: 10 });
    expect(rows.map((row) => row.endpoint).sort()).toEqual(["/a", "/b", "/c", "/v1/completions"]);
    expect((await db.calls.counters()).map((row) => [row.endpoint, row.calls])).toEqual([
      ["(unknown)", 3],
      ["/v1/completions", 1],
    ]);
    await db.sql.close();
  });

  test("reads a refusal of a journal that does not say whether its endpoint is known", () => {
    const old = { t: "refuse", id: "a", at: 1, endpoint: "/x", model: null, keyId: "k" };
    const parsed = JournalRecord.parse({
      ...old,
      requestId: null,
      httpStatus: 404,
      error: "not_found",
    });
    expect(parsed).toMatchObject({ endpoint: "/x", known: true });
  });

  test("a settle record from before attempts and cost were written becomes a row without them", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    const { costNanoUsd, attempts, ...old } = z.looseObject({}).parse(settle("a"));
    expect([costNanoUsd, attempts]).not.toContain(undefined);
    await ingest(db.sql, [reserve("a"), JournalRecord.parse(old)], START);
    const none = { cost_nano_usd: null, attempts: [], resumed: 0, prompt_tokens: 10 };
    expect(await db.calls.getCall("a")).toMatchObject(none);
    expect(await db.calls.counters()).toMatchObject([{ calls: 1, cost_nano_usd: 0 }]);
    await db.sql.close();
  });

  test("counters add up what calls cost, those of no known price left out", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    const free = { ...settle("c"), costNanoUsd: null };
    const records = [settle("a", 10), settle("b", 3), JournalRecord.parse(free)];
    await ingest(db.sql, ["a", "b", "c"].map((id) => reserve(id)).concat(records), START);
    expect(await db.calls.counters()).toMatchObject([{ calls: 3, cost_nano_usd: 19_500 }]);
    await db.sql.close();
  });

  test("a database from before the new columns keeps its rows and gets them", async () => {
    using folder = tempFolder();
    const file = join(folder.path, "covey.db");
    const db = await database(folder.path);
    await ingest(db.sql, [reserve("a"), settle("a")], START);
    for (const column of ["cost_nano_usd", "attempts", "resumed"]) {
      await db.sql.unsafe(`ALTER TABLE calls DROP COLUMN ${column}`);
    }
    await db.sql.unsafe("ALTER TABLE counters DROP COLUMN cost_nano_usd");
    await db.sql.unsafe("DELETE FROM migrations WHERE name = '0003_attempts.sql'");
    await db.sql.close();
    const sql = await openDatabase(file);
    const calls = callsBy((text, values) => sql.unsafe(text, values));
    const none = { cost_nano_usd: null, attempts: [], resumed: 0, completion_tokens: 20 };
    expect(await calls.getCall("a")).toMatchObject(none);
    expect(await calls.counters()).toMatchObject([{ calls: 1, cost_nano_usd: 0 }]);
    await sql.close();
  });

  test("a database of a newer version is refused, not guessed at", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    await db.sql.unsafe("INSERT INTO migrations (name) VALUES ('9999_future.sql')");
    await db.sql.close();
    await expect(openDatabase(join(folder.path, "covey.db"))).rejects.toThrow("newer version");
  });
});

describe("the read side", () => {
  test("pages through the log newest first, each call once, ties included", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    const ids = Array.from({ length: 25 }, (_, n) => `c${String(n).padStart(2, "0")}`);
    await ingest(
      db.sql,
      ids.map((id, n) => reserve(id, AT + Math.floor(n / 4))),
      START,
    );
    await db.sql.close();
    const calls = await openCallsReadonly(folder.path);
    const seen: string[] = [];
    for (let before: string | undefined; ; before = seen.at(-1)) {
      const page = await calls.listCalls({ limit: 7, ...(before === undefined ? {} : { before }) });
      if (page.length === 0) break;
      seen.push(...page.map((row) => row.id));
    }
    expect(seen).toEqual(ids.toReversed());
    expect(await calls.getCall("'; DROP TABLE calls; --")).toBeNull();
    await calls.close();
  });

  test("cannot write", async () => {
    using folder = tempFolder();
    const db = await database(folder.path);
    await db.sql.close();
    const sql = await openReadonly(join(folder.path, "covey.db"));
    const write = async () => await sql.unsafe("DELETE FROM calls");
    await expect(write()).rejects.toThrow("readonly");
    await sql.close();
  });
});
