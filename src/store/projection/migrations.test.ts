import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { SQL } from "bun";
import { tempFolder } from "../../../test/store/calls-fixture.ts";
import { onBothDatabases } from "../../../test/store/databases.ts";
import { callsBy } from "../calls.ts";
import { CUTS, CUTS_OF } from "../rollups.ts";
import { dialectOf, openDatabase } from "./database.ts";
import { readPosition, takePosition } from "./position.ts";
import { textFor } from "./statements.ts";

const MIGRATIONS = new URL("../migrations/", import.meta.url);
const AT = Date.UTC(2026, 10, 20, 9, 59);

/** A database as a version of Covey left it that knew the first `count` migrations. */
async function migratedTo(where: string, count: number): Promise<SQL> {
  const dialect = dialectOf(where);
  const sql = dialect === "sqlite" ? new SQL(`sqlite://${where}`) : new SQL(where);
  await sql.unsafe("CREATE TABLE migrations (name TEXT PRIMARY KEY)");
  for (const name of readdirSync(MIGRATIONS).sort().slice(0, count)) {
    await sql.unsafe(textFor(dialect, readFileSync(new URL(name, MIGRATIONS), "utf8")));
    await sql.unsafe("INSERT INTO migrations (name) VALUES ($1)", [name]);
  }
  return sql;
}

/** The same with two calls and their minutes in it, from when there was nothing but minutes. */
async function oldDatabase(where: string, count: number): Promise<void> {
  const sql = await migratedTo(where, count);
  const call = (id: string, status: string) =>
    sql.unsafe(
      `INSERT INTO calls (id, started_at, endpoint, model, key_id, stream, status, prompt_tokens, completion_tokens,
        cached_tokens, usage_source, dropped_params, calls)
        VALUES ($1, $2, '/v1/completions', 'm', 'k', 0, $3, 1, 2, 0, 'counted', '[]', 1)`,
      [id, AT, status],
    );
  await call("ended", "completed");
  await call("cut off", "running");
  // Three minutes, the last of them in another hour.
  for (const [minute, key] of [
    [0, "k"],
    [0, "other"],
    [1, "k"],
  ] as const) {
    await sql.unsafe(
      `INSERT INTO counters (minute, key_id, model, provider, endpoint, status, error, calls, prompt_tokens,
        completion_tokens, cached_tokens) VALUES ($1, $2, 'm', 'p', '/v1/completions', 'completed', '', 10, 100, 200, 5)`,
      [AT / 60_000 + minute, key],
    );
  }
  await sql.unsafe(
    "UPDATE journal_position SET segment = 7, byte_offset = 1234, skipped_bytes = 5",
  );
  await sql.close();
}

onBothDatabases("a database from before there were hours and days", (kind) => {
  for (const count of [1, 2, 3]) {
    test(`keeps its calls, fills them from its minutes, and goes on where it was (${count} migrations)`, async () => {
      using folder = tempFolder();
      const where = await kind.make(folder.path);
      await oldDatabase(where, count);
      const { sql, close } = await openDatabase(where);
      const rows = async (table: string, cut: string) =>
        [
          ...(await sql.unsafe(
            `SELECT at, key_id, model, calls, prompt_tokens, cost_nano_usd, t05 FROM ${table}
              WHERE cut = '${cut}' ORDER BY at, key_id`,
          )),
        ].map((row: Record<string, unknown>) => [
          Number(row.at) - AT,
          row.key_id,
          row.model,
          ...[row.calls, row.prompt_tokens, row.cost_nano_usd, row.t05].map(Number),
        ]);
      const hour = Date.UTC(2026, 10, 20, 9) - AT;
      const day = Date.UTC(2026, 10, 20) - AT;
      expect(await rows("minutes", "each")).toEqual([
        [0, "k", "m", 10, 100, 0, 0],
        [0, "other", "m", 10, 100, 0, 0],
        [60_000, "k", "m", 10, 100, 0, 0],
      ]);
      expect(await rows("hours", "each")).toEqual([
        [hour, "k", "m", 10, 100, 0, 0],
        [hour, "other", "m", 10, 100, 0, 0],
        [hour + 3_600_000, "k", "m", 10, 100, 0, 0],
      ]);
      expect(await rows("hours", "models")).toEqual([
        [hour, "", "m", 20, 200, 0, 0],
        [hour + 3_600_000, "", "m", 10, 100, 0, 0],
      ]);
      expect(await rows("days", "models")).toEqual([[day, "", "m", 30, 300, 0, 0]]);
      expect(await rows("days", "keys")).toEqual([
        [day, "k", "", 20, 200, 0, 0],
        [day, "other", "", 10, 100, 0, 0],
      ]);

      expect(await rows("hours", "all")).toEqual([
        [hour, "", "", 20, 200, 0, 0],
        [hour + 3_600_000, "", "", 10, 100, 0, 0],
      ]);
      expect(await rows("days", "uses")).toEqual([
        [day, "k", "m", 20, 200, 0, 0],
        [day, "other", "m", 10, 100, 0, 0],
      ]);

      const owner = { gateway: "mine", process: "p", connection: "c" };
      const position = { segment: 7, offset: 1234, skippedBytes: 5 };
      expect(await takePosition(sql, owner, true)).toEqual(position);
      expect(await readPosition(sql, "")).toBeNull();
      const whose = await sql.unsafe("SELECT id, gateway FROM calls ORDER BY id");
      expect([...whose]).toEqual([
        { id: "cut off", gateway: "mine" },
        { id: "ended", gateway: "" },
      ]);
      const calls = callsBy((text, values) => sql.unsafe(text, values));
      const none = { cost_nano_usd: null, attempts: [], resumed: 0, completion_tokens: 2 };
      expect(await calls.getCall("ended")).toMatchObject(none);
      await close();
    }, 20_000);
  }

  test("one from before most cuts has the same sums in all of them", async () => {
    using folder = tempFolder();
    const where = await kind.make(folder.path);
    const old = await migratedTo(where, readdirSync(MIGRATIONS).sort().indexOf("0009_cuts.sql"));
    for (const span of ["minutes", "hours", "days"]) {
      for (const [key, model, status, calls, t05] of [
        ["k", "m", "completed", 7, 3],
        ["k", "n", "failed", 3, 0],
        ["other", "m", "interrupted", 2, 0],
      ] as const) {
        for (const [cut, whose] of [
          ["each", key],
          ["models", ""],
        ]) {
          await old.unsafe(
            `INSERT INTO ${span} (cut, at, key_id, model, provider, endpoint, status, error, calls, prompt_tokens,
              completion_tokens, cached_tokens, cost_nano_usd, t05)
              VALUES ('${cut}', 0, $1, $2, 'p', '/v1/e', $3, 'e', $4, 0, 0, 0, 0, $5)`,
            [whose ?? "", model, status, calls, t05],
          );
        }
      }
      // As it was before it told errors apart.
      await old.unsafe(
        `INSERT INTO ${span} (cut, at, key_id, model, provider, endpoint, status, error, calls, prompt_tokens,
          completion_tokens, cached_tokens, cost_nano_usd) VALUES ('keys', 0, 'k', '', '', '', 'completed', '', 12, 0, 0, 0, 0)`,
      );
    }
    await old.close();
    const { sql, close } = await openDatabase(where);
    for (const span of ["minutes", "hours", "days"] as const) {
      for (const cut of CUTS_OF[span]) {
        const known = CUTS[cut].map((name) => `${name} <> ''`).join(" AND ") || "1 = 1";
        const rows: Iterable<Record<string, unknown>> = await sql.unsafe(
          `SELECT SUM(calls) AS calls, SUM(failed) AS failed, SUM(t05) AS t05 FROM ${span} WHERE cut = $1 AND ${known}`,
          [cut],
        );
        const sums = [...rows].map((row) => [row.calls, row.failed, row.t05].map(Number));
        expect([span, cut, sums]).toEqual([span, cut, [[12, 5, 3]]]);
      }
    }
    await close();
  }, 20_000);

  test("several that open an empty one at the same moment make its tables once", async () => {
    using folder = tempFolder();
    const where = await kind.make(folder.path);
    const open = await Promise.all(
      Array.from({ length: kind.name === "SQLite" ? 1 : 4 }, () => openDatabase(where)),
    );
    const counts = await Promise.all(open.map(({ sql }) => sql.unsafe("SELECT * FROM migrations")));
    for (const names of counts) expect([...names].length).toBe([...readdirSync(MIGRATIONS)].length);
    await Promise.all(open.map(({ close }) => close()));
  });
});
