import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  meter,
  refusalOf,
  reserveOf,
  settleOf,
  tempFolder,
} from "../../test/store/calls-fixture.ts";
import type { AttemptRecord } from "../types.ts";
import { Journal } from "./journal.ts";
import { JournalLedger } from "./ledger.ts";
import { decode } from "./record.ts";
import type { JournalRecord } from "./schema.ts";
import { listSegments, realFiles, segmentPath } from "./segment.ts";

function open(dir: string, maxLagBytes = 0) {
  const disk = { full: false };
  const journal = new Journal({
    dir,
    durability: "process",
    onReadable: () => undefined,
    retryMs: 5,
    files: {
      ...realFiles,
      write(...args) {
        if (disk.full) throw new Error("no space left");
        return realFiles.write(...args);
      },
    },
  });
  const database = { trouble: null as string | null, lagBytes: 0 };
  const ledger = new JournalLedger(journal, () => database, { maxLagBytes });
  return { journal, ledger, disk, database };
}

function recordsIn(dir: string): JournalRecord[] {
  return listSegments(dir).flatMap(
    (segment) => decode(readFileSync(segmentPath(dir, segment)), true).records,
  );
}

describe("the ledger", () => {
  test("has a call in the journal before reserve resolves, and its end before settle does", async () => {
    using folder = tempFolder();
    const { ledger, journal } = open(folder.path);
    await ledger.reserve(reserveOf("a", { requestId: "theirs" }), meter());
    expect(recordsIn(folder.path)).toMatchObject([{ t: "reserve", id: "a", requestId: "theirs" }]);
    await ledger.settle(settleOf("a", { status: "failed", error: "upstream_error" }));
    expect(recordsIn(folder.path)[1]).toMatchObject({
      t: "settle",
      id: "a",
      status: "failed",
      error: "upstream_error",
      promptTokens: 7,
    });
    ledger.close();
    await journal.close();
  });

  test("tells every second what running calls have used since, in one record", async () => {
    using folder = tempFolder();
    const { ledger, journal } = open(folder.path);
    const meters = { a: meter(), b: meter(), c: meter() };
    for (const [id, m] of Object.entries(meters)) await ledger.reserve(reserveOf(id), m);
    meters.a.completionTokens = 4;
    meters.b.promptTokens = 9;
    meters.c.promptTokens = 1;
    await ledger.settle(settleOf("c"));
    ledger.tick(5000);
    ledger.tick(6000);
    await journal.flush();
    const progress = recordsIn(folder.path).filter((record) => record.t === "progress");
    expect(progress).toEqual([
      {
        t: "progress",
        at: 5000,
        calls: [
          ["a", 0, 4, 0, "none", null, null],
          ["b", 9, 0, 0, "none", null, null],
        ],
      },
    ]);
    ledger.close();
    await journal.close();
  });

  test("keeps only a beginning of what strangers send", async () => {
    using folder = tempFolder();
    const { ledger, journal } = open(folder.path);
    const long = "m".repeat(2_000_000);
    await ledger.reserve(reserveOf("a", { title: long, referer: long, requestId: long }), meter());
    await ledger.settle(settleOf("a", { droppedParams: Array(10_000).fill(long) }));
    ledger.refuse(refusalOf("b", { model: long, endpoint: long }));
    await journal.flush();
    const text = JSON.stringify(recordsIn(folder.path));
    expect(text.length).toBeLessThan(64 * 300);
    expect(recordsIn(folder.path)).toMatchObject([
      { title: "m".repeat(256) },
      { t: "settle" },
      { t: "refuse", model: "m".repeat(256) },
    ]);
    ledger.close();
    await journal.close();
  });

  test("of a call with very many attempts it keeps the first and the last 31", async () => {
    using folder = tempFolder();
    const { ledger, journal } = open(folder.path);
    const attempts = Array.from({ length: 1000 }, (_, n): AttemptRecord => {
      const counts = { tookMs: 1, completionTokens: 0, malformedEvents: 0 };
      const upstream = { provider: "p", upstreamId: "u".repeat(10_000), model: "m" };
      return {
        ...upstream,
        startMs: n,
        error: "overloaded",
        message: "m".repeat(10_000),
        how: "retry",
        ...counts,
      };
    });
    await ledger.settle(settleOf("a", { attempts }));
    await journal.flush();
    const [record] = recordsIn(folder.path);
    if (record?.t !== "settle") throw new Error("no settle record");
    const starts = record.attempts.map(({ startMs }) => startMs);
    expect(starts).toEqual([0, ...Array.from({ length: 31 }, (_, n) => 969 + n)]);
    expect(record.attempts[0]).toMatchObject({
      upstreamId: "u".repeat(256),
      error: "overloaded",
      message: "m".repeat(256),
    });
    ledger.close();
    await journal.close();
  });

  test("while the disk is full refuses new calls with 503, loses no end and counts refusals", async () => {
    using folder = tempFolder();
    const { ledger, journal, disk } = open(folder.path);
    await ledger.reserve(reserveOf("a"), meter());
    disk.full = true;
    await expect(ledger.reserve(reserveOf("b"), meter())).rejects.toMatchObject({
      kind: "unavailable",
      status: 503,
    });
    const settled = ledger.settle(settleOf("a"));
    for (let n = 0; n < 30; n++) ledger.refuse(refusalOf(`r${n}`, { error: "unavailable" }));
    ledger.tick(1000);
    expect(ledger.health()).toMatchObject({ ok: false });
    expect(ledger.health().detail).toContain("no space left");
    await settled; // Held in memory: no answer waits for the disk.
    disk.full = false;
    while (!ledger.health().ok) await Bun.sleep(2);
    expect(ledger.health()).toEqual({ ok: true, detail: null, lagBytes: 0 });
    ledger.tick(2000);
    await journal.flush();
    const kinds = recordsIn(folder.path).map((record) => record.t);
    expect(kinds).toEqual(["reserve", "settle", "refused"]);
    expect(recordsIn(folder.path)[2]).toMatchObject({ count: 30, error: "unavailable" });
    ledger.close();
    await journal.close();
  });

  test("is in health while only the database is in trouble, and says so", async () => {
    using folder = tempFolder();
    const { ledger, journal, database } = open(folder.path);
    database.trouble = "locked";
    database.lagBytes = 12;
    expect(ledger.health()).toEqual({ ok: true, detail: "locked", lagBytes: 12 });
    ledger.close();
    await journal.close();
  });

  test("when as much journal waits for the database as may, refuses new calls and ends those that run", async () => {
    using folder = tempFolder();
    const { ledger, journal, database } = open(folder.path, 1000);
    await ledger.reserve(reserveOf("a"), meter());
    database.lagBytes = 1000;
    await expect(ledger.reserve(reserveOf("b"), meter())).rejects.toMatchObject({ status: 503 });
    expect(ledger.health()).toEqual({
      ok: false,
      detail: "1000 bytes of journal wait for the database",
      lagBytes: 1000,
    });
    for (let n = 0; n < 30; n++) ledger.refuse(refusalOf(`r${n}`, { error: "unavailable" }));
    await ledger.settle(settleOf("a"));
    ledger.tick(1000);
    database.lagBytes = 999;
    await ledger.reserve(reserveOf("c"), meter());
    ledger.tick(2000);
    await journal.flush();
    const kinds = recordsIn(folder.path).map((record) => record.t);
    expect(kinds).toEqual(["reserve", "settle", "reserve", "refused"]);
    expect(recordsIn(folder.path)[3]).toMatchObject({ count: 30, error: "unavailable" });
    ledger.close();
    await journal.close();
  });
});
