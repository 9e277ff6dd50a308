import { expect, test } from "bun:test";
import { reserveOf, settleOf, tempFolder } from "../../../test/store/calls-fixture.ts";
import { onBothDatabases } from "../../../test/store/databases.ts";
import type { JournalRecord } from "../schema.ts";
import { openDatabase } from "./database.ts";
import { ingest } from "./ingest.ts";
import { takePosition } from "./position.ts";
import { type Keep, nextRows, Retention } from "./retention.ts";
import { usedBytes } from "./room.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 20, 12, 0, 30);
const NONE: Keep = {
  callsMs: 0,
  minutesMs: 0,
  hoursMs: 0,
  daysMs: 0,
  maxBytes: 0,
  refusedRows: 0,
};

function callAt(id: string, at: number): JournalRecord[] {
  return [
    { t: "reserve", ...reserveOf(id, { at }) },
    { t: "settle", ...settleOf(id, { at }), attempts: [], droppedParams: [] },
  ];
}

onBothDatabases("retention", (kind) => {
  async function open(folder: string) {
    const opened = await openDatabase(await kind.make(folder));
    const owner = { gateway: "g", process: "p", connection: "c" };
    const position = await takePosition(opened.sql, owner, true);
    const add = (records: readonly JournalRecord[]) =>
      ingest({ ...opened, owner }, records, position);
    const keep = async (keep: Partial<Keep>) => {
      const retention = new Retention({ ...NONE, ...keep });
      let steps = 1;
      while (await retention.step(opened, NOW)) steps++;
      return steps;
    };
    const count = async (table: string) =>
      Number([...(await opened.sql.unsafe(`SELECT count(*) AS n FROM ${table}`))][0].n);
    return { ...opened, add, keep, count };
  }

  test("deletes calls and spans that are too old, in many small steps, and no running call", async () => {
    using folder = tempFolder();
    const db = await open(folder.path);
    const old: JournalRecord[] = [];
    for (let n = 0; n < 3000; n++) {
      old.push(...callAt(`c${n}`, NOW - 31 * DAY - n * 60_000), ...callAt(`n${n}`, NOW - n * 1000));
    }
    old.push({ t: "reserve", ...reserveOf("still there", { at: NOW - 40 * DAY }) });
    await db.add(old);
    const steps = await db.keep({ callsMs: 30 * DAY, minutesMs: 2 * DAY, hoursMs: 90 * DAY });
    expect(steps).toBeGreaterThan(10);
    expect(await db.count("calls")).toBe(3001);
    expect(await db.count("calls WHERE id LIKE 'c%'")).toBe(0);
    expect(await db.count(`minutes WHERE at < ${NOW - 2 * DAY - 60_000}`)).toBe(0);
    expect(await db.count("minutes WHERE cut = 'models'")).toBe(51);
    const counted = "(SELECT SUM(calls) AS calls FROM hours WHERE cut = 'models') AS sums";
    expect(await db.count(`${counted} WHERE calls = 6000`)).toBe(1);
    await db.close();
  }, 30_000);

  test("past its size the oldest calls go until it is under it, and their sums stay", async () => {
    using folder = tempFolder();
    const db = await open(folder.path);
    for (let from = 0; from < 12_000; from += 2000) {
      const records = Array.from({ length: 2000 }, (_, n) =>
        callAt(`c${String(from + n).padStart(6, "0")}`, NOW - DAY + from + n),
      );
      await db.add(records.flat());
    }
    if (kind.name === "PostgreSQL") {
      await db.sql.unsafe("ANALYZE calls");
      for (; (await usedBytes(db)).bytes === 0; await Bun.sleep(20));
    }
    const { bytes } = await usedBytes(db);
    await db.keep({ maxBytes: bytes / 2 });
    const left = await db.count("calls");
    expect(left).toBeGreaterThan(1000);
    expect(left).toBeLessThan(9000);
    const oldest = String(12_000 - left).padStart(6, "0");
    expect(await db.count(`calls WHERE id < 'c${oldest}'`)).toBe(0);
    const counted = "(SELECT SUM(calls) AS calls FROM days WHERE cut = 'models') AS sums";
    expect(await db.count(`${counted} WHERE calls = 12000`)).toBe(1);
    await db.close();
  }, 30_000);
});

test("steps grow with care and shrink at once to what takes about 5 ms", () => {
  expect(nextRows(100, 1)).toBe(125);
  expect(nextRows(100, 10)).toBe(50);
  expect(nextRows(100, 8000)).toBe(10);
  expect(nextRows(2000, 1)).toBe(2000);
});
