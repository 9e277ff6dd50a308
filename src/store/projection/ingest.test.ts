import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { tempFolder } from "../../../test/store/calls-fixture.ts";
import { type DatabaseKind, onBothDatabases } from "../../../test/store/databases.ts";
import { CallRow, callsBy } from "../calls.ts";
import { encode, encodedBound } from "../record.ts";
import { JournalRecord } from "../schema.ts";
import { listSegments, segmentPath } from "../segment.ts";
import { openDatabase, openReadonly } from "./database.ts";
import { ingest } from "./ingest.ts";
import { type Position, readPosition, takePosition } from "./position.ts";
import { nextPiece } from "./tail.ts";

const MINUTE = 29_000_000;
const AT = MINUTE * 60_000;
const START: Position = { segment: 0, offset: 0, skippedBytes: 0 };

const reserve = (id: string, at = AT): Extract<JournalRecord, { t: "reserve" }> => ({
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
  model: null,
  provider: "local",
  finishReason: "length",
  promptTokens: tokens,
  completionTokens: tokens * 2,
  cachedTokens: 1,
  images: 2,
  pixels: 1_048_576,
  usageSource: "upstream",
  queueMs: 1.5,
  firstTokenMs: 20,
  totalMs: 500,
  droppedParams: ["top_a"],
  costNanoUsd: tokens * 1500,
  providerCostNanoUsd: tokens * 1400,
  attempts: [
    { ...attempt, error: "upstream_error", message: "it broke", how: "first", completionTokens: 4 },
    {
      ...attempt,
      provider: "b",
      startMs: 120,
      error: null,
      message: null,
      how: "continue",
      malformedEvents: 1,
    },
  ],
});

const progress = (id: string, completion: number): JournalRecord => ({
  t: "progress",
  at: AT + 100,
  calls: [[id, 5, completion, 2, "counted", 0.25, 30]],
});

const boot = { t: "boot", at: AT + 60_000, version: "1" } as const satisfies JournalRecord;

const GATEWAY = "gateway-1";

/** An open database, and this process as the one that writes a gateway's log into it. */
async function openAt(where: string, gateway = GATEWAY) {
  const opened = await openDatabase(where);
  const { sql } = opened;
  const owner = { gateway, process: "p", connection: Bun.randomUUIDv7() };
  await takePosition(sql, owner, true);
  const calls = callsBy((text, values) => sql.unsafe(text, values));
  const state = async () => ({
    rows: z
      .array(CallRow)
      .parse(await sql.unsafe("SELECT * FROM calls ORDER BY started_at DESC, id DESC")),
    counters: await calls.counters(),
  });
  const position = async () => (await readPosition(sql, gateway)) ?? START;
  return { where, sql, to: { ...opened, owner }, calls, state, position, close: opened.close };
}

const database = async (kind: DatabaseKind, folder: string) => openAt(await kind.make(folder));

function write(dir: string, segment: number, bytes: Buffer): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(segmentPath(dir, segment), bytes);
}

/** Fails the last statement of a batch. */
const BROKEN = {
  SQLite: `CREATE TRIGGER broken BEFORE UPDATE ON journal_positions
    BEGIN SELECT RAISE(ABORT, 'broken'); END`,
  PostgreSQL: `CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN RAISE EXCEPTION ''broken''; END';
    CREATE TRIGGER broken BEFORE UPDATE ON journal_positions FOR EACH ROW EXECUTE FUNCTION broken()`,
};

function bytesOf(records: readonly JournalRecord[]): Buffer {
  const texts = records.map((record) => JSON.stringify(record));
  const buffer = Buffer.alloc(encodedBound(texts));
  return buffer.subarray(0, encode(texts, buffer));
}

/** Reads a whole journal folder into the database, from the database's own position. */
async function replay(dir: string, db: Awaited<ReturnType<typeof openAt>>): Promise<Position> {
  const last = listSegments(dir).at(-1) ?? 0;
  const end = { segment: last, offset: readFileSync(segmentPath(dir, last)).length };
  for (;;) {
    const position = await db.position();
    const piece = nextPiece(dir, position, end);
    if (piece === null) return position;
    await ingest(db.to, piece.records, piece.next);
  }
}

onBothDatabases("the last use of a key", (kind) => {
  test("is its newest call's beginning, never an older one's, and outlives the call", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    const used = (id: string, key: string, at: number) => ({ ...reserve(id, at), keyId: key });
    const Uses = z.array(z.object({ key_id: z.string(), last_used_at: z.coerce.number() }));
    const uses = async () =>
      Uses.parse([...(await db.sql.unsafe("SELECT * FROM key_uses ORDER BY key_id"))]).map(
        ({ key_id, last_used_at }) => [key_id, last_used_at] as const,
      );
    const first = [used("a", "key_1", AT), used("b", "key_2", AT + 5), used("c", "key_1", AT + 9)];
    await ingest(db.to, [...first, used("d", "anonymous", AT), settle("a")], START);
    const [one, two] = [["key_1", AT + 9] as const, ["key_2", AT + 5] as const];
    expect(await uses()).toEqual([one, two]);
    await ingest(db.to, [used("e", "key_1", AT - 1000), ...first], START);
    expect(await uses()).toEqual([one, two]);
    const many = Array.from({ length: 200 }, (_, n) => used(`m${n}`, `key_m${n}`, AT + n));
    await ingest(db.to, many, START);
    expect(
      (await uses())
        .slice(2)
        .map(([, at]) => at - AT)
        .sort((a, b) => a - b),
    ).toEqual(many.map((_, n) => n));
    await db.sql.unsafe("DELETE FROM key_uses WHERE key_id LIKE 'key_m%'");
    await db.sql.unsafe("DELETE FROM calls");
    await ingest(db.to, [used("f", "key_2", AT + 7)], START);
    expect(await uses()).toEqual([one, ["key_2", AT + 7]]);
    await db.close();
  });
});

onBothDatabases("the projection", (kind) => {
  test("makes one row of a call's records, with everything in them", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    await ingest(db.to, [reserve("a"), progress("a", 3), settle("a")], START);
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
      images: 2,
      pixels: 1_048_576,
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
          message: "it broke",
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
          message: null,
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
    await db.close();
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
      const db = await database(kind, join(folder.path, `${size}`));
      for (let from = 0; from < records.length; from += size) {
        await ingest(db.to, records.slice(from, from + size), START);
      }
      states.push(await db.state());
      await db.close();
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
    const db = await database(kind, folder.path);
    const position = await replay(dir, db);
    const once = await db.state();
    expect(position.segment).toBe(2);
    expect(await replay(dir, db)).toEqual(position);
    expect(await db.state()).toEqual(once);

    await db.sql.unsafe("UPDATE journal_positions SET segment = 0, byte_offset = 0");
    await replay(dir, db);
    const twice = await db.state();
    // The second reading passes a boot after `last` was reserved; everything else is as it was.
    const without = (rows: typeof once.rows) => rows.filter((row) => row.id !== "last");
    expect(without(twice.rows)).toEqual(without(once.rows));
    expect(twice.counters.filter((row) => row.minute === MINUTE)).toEqual(once.counters);
    const total = once.counters.reduce((sum, row) => sum + row.calls, 0);
    expect(total).toBe(5000 + 1 + 1234);
    await db.close();
  });

  test("skips a torn tail and a damaged middle, and counts the damage alone", async () => {
    using folder = tempFolder();
    const dir = join(folder.path, "journal");
    const torn = bytesOf([reserve("b")]);
    const damaged = Buffer.from(bytesOf([reserve("d")]));
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    write(dir, 1, Buffer.concat([bytesOf([boot, reserve("a")]), torn.subarray(0, 50)]));
    write(dir, 2, Buffer.concat([bytesOf([boot, reserve("c")]), damaged, bytesOf([settle("c")])]));
    const db = await database(kind, folder.path);
    const position = await replay(dir, db);
    expect(position.skippedBytes).toBe(damaged.length);
    const rows = await db.calls.listCalls({ limit: 10 });
    expect(rows.map(({ id, status }) => [id, status])).toEqual([
      ["c", "completed"],
      ["a", "interrupted"],
    ]);
    await db.close();
  });

  test("reads its own journal from its start when another one of the same gateway-id was read before", async () => {
    using folder = tempFolder();
    const [mine, copy] = [join(folder.path, "mine"), join(folder.path, "copy")];
    const later = { ...boot, at: boot.at + 1 };
    write(mine, 1, bytesOf([boot, reserve("a")]));
    // Longer than what was read of the other, so that the position lies in the middle of a record.
    const long = { ...reserve("b"), title: "x".repeat(500) };
    write(copy, 1, bytesOf([later, long, reserve("c")]));
    const db = await database(kind, folder.path);
    await replay(mine, db);
    const position = await replay(copy, db);
    expect(position.skippedBytes).toBe(0);
    const ids = (await db.calls.listCalls({ limit: 10 })).map(({ id }) => id).sort();
    expect(ids).toEqual(["a", "b", "c"]);
    // And the first one again, which has gone on meanwhile.
    write(mine, 2, bytesOf([{ ...boot, at: boot.at + 2 }, reserve("d")]));
    expect((await replay(mine, db)).skippedBytes).toBe(0);
    expect(await db.calls.getCall("d")).not.toBeNull();
    await db.close();
  });

  test("reads a new journal from its start when the old one was thrown away", async () => {
    using folder = tempFolder();
    const dir = join(folder.path, "journal");
    write(dir, 1, bytesOf([boot, reserve("a")]));
    const db = await database(kind, folder.path);
    await db.sql.unsafe("UPDATE journal_positions SET segment = 57, byte_offset = 100");
    await replay(dir, db);
    expect(await db.calls.getCall("a")).not.toBeNull();
    await db.close();
  });

  test("a transaction that fails leaves rows, counters and position as they were", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    await ingest(db.to, [reserve("a")], { segment: 1, offset: 10, skippedBytes: 0 });
    await db.sql.unsafe(BROKEN[kind.name]);
    const next = { segment: 1, offset: 20, skippedBytes: 0 };
    await expect(ingest(db.to, [settle("a")], next)).rejects.toThrow("broken");
    expect(await db.calls.getCall("a")).toMatchObject({ status: "running" });
    expect(await db.calls.counters()).toEqual([]);
    expect(await db.position()).toMatchObject({ offset: 10 });
    await db.close();
  });

  test("keeps an end whose beginning was lost", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    await ingest(db.to, [settle("a")], START);
    expect(await db.calls.getCall("a")).toMatchObject({
      started_at: AT,
      status: "completed",
      prompt_tokens: 10,
      model: "",
    });
    await db.close();
  });

  test("a number that no database holds keeps nothing waiting", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    const absurd = { promptTokens: 1e300, costNanoUsd: 1e300, providerCostNanoUsd: 1e300 };
    const read = JournalRecord.parse({ ...settle("a"), ...absurd });
    await ingest(db.to, [reserve("a"), read, reserve("b"), settle("b")], START);
    const { rows } = await db.state();
    expect(rows.map(({ status }) => status)).toEqual(["completed", "completed"]);
    await db.close();
  });

  test("only a call's first end counts", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    await ingest(db.to, [reserve("a"), settle("a", 10), settle("a", 99)], START);
    await ingest(db.to, [settle("a", 77)], START);
    await ingest(db.to, [boot, settle("a", 78)], START);
    expect(await db.calls.getCall("a")).toMatchObject({ prompt_tokens: 10 });
    expect(await db.calls.counters()).toMatchObject([{ calls: 1, prompt_tokens: 10 }]);
    await db.close();
  });

  test("a refused call's row says what a stranger typed, its counters only that it is no endpoint", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
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
    await ingest(db.to, [...records, refusal("d", "/v1/completions", true)], START);
    const rows = await db.calls.listCalls({ limit: 10 });
    expect(rows.map((row) => row.endpoint).sort()).toEqual(["/a", "/b", "/c", "/v1/completions"]);
    expect((await db.calls.counters()).map((row) => [row.endpoint, row.calls])).toEqual([
      ["(unknown)", 3],
      ["/v1/completions", 1],
    ]);
    await db.close();
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
    const db = await database(kind, folder.path);
    const { costNanoUsd, attempts, ...old } = z.looseObject({}).parse(settle("a"));
    expect([costNanoUsd, attempts]).not.toContain(undefined);
    await ingest(db.to, [reserve("a"), JournalRecord.parse(old)], START);
    const none = { cost_nano_usd: null, attempts: [], resumed: 0, prompt_tokens: 10 };
    expect(await db.calls.getCall("a")).toMatchObject(none);
    expect(await db.calls.counters()).toMatchObject([{ calls: 1, cost_nano_usd: 0 }]);
    await db.close();
  });

  test("counters add up what calls cost, those of no known price left out", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    const free = { ...settle("c"), costNanoUsd: null };
    const records = [settle("a", 10), settle("b", 3), JournalRecord.parse(free)];
    await ingest(db.to, [...["a", "b", "c"].map((id) => reserve(id)), ...records], START);
    expect(await db.calls.counters()).toMatchObject([{ calls: 3, cost_nano_usd: 19_500 }]);
    await db.close();
  });

  test("a database of a newer version is refused, not guessed at", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    await db.sql.unsafe("INSERT INTO migrations (name) VALUES ('9999_future.sql')");
    await db.close();
    await expect(openDatabase(db.where)).rejects.toThrow("newer version");
  });
});

onBothDatabases("the read side", (kind) => {
  test("pages through the log newest first, each call once, ties included", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    const ids = Array.from({ length: 25 }, (_, n) => `c${String(n).padStart(2, "0")}`);
    await ingest(
      db.to,
      ids.map((id, n) => reserve(id, AT + Math.floor(n / 4))),
      START,
    );
    const { calls } = db;
    const seen: string[] = [];
    for (let before: string | undefined; ; before = seen.at(-1)) {
      const page = await calls.listCalls({ limit: 7, ...(before === undefined ? {} : { before }) });
      if (page.length === 0) break;
      seen.push(...page.map((row) => row.id));
    }
    expect(seen).toEqual(ids.toReversed());
    expect(await calls.getCall("'; DROP TABLE calls; --")).toBeNull();
    await db.close();
  });

  test("cannot write", async () => {
    using folder = tempFolder();
    const db = await database(kind, folder.path);
    await db.close();
    const reader = await openReadonly(db.where);
    const write = async () => await reader.sql.unsafe("DELETE FROM calls");
    await expect(write()).rejects.toThrow(/read-?only/);
    await reader.close();
  });
});
