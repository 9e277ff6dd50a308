import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { tempFolder, until } from "../../test/store/calls-fixture.ts";
import { type Durability, Journal, type JournalOptions } from "./journal.ts";
import { decode } from "./record.ts";
import {
  type JournalEnd,
  listSegments,
  realFiles,
  type SegmentFiles,
  segmentPath,
} from "./segment.ts";

const probe = (n: number) => JSON.stringify({ t: "probe", at: n });

/** What the segments hold, in order, and how many bytes of them are no records. */
function contents(dir: string): { numbers: number[]; skipped: number } {
  const numbers: number[] = [];
  let skipped = 0;
  for (const segment of listSegments(dir)) {
    const read = decode(readFileSync(segmentPath(dir, segment)), true);
    skipped += read.skippedBytes + read.tornBytes;
    for (const record of read.records) numbers.push(record.at);
  }
  return { numbers, skipped };
}

/** Real files whose next operations can be made to fail. */
class Faults implements SegmentFiles {
  /** Bytes the disk still takes. */
  room = Number.POSITIVE_INFINITY;
  truncates = true;
  syncs = true;
  writes = 0;
  syncCount = 0;
  gate: Promise<void> | null = null;

  write(fd: number, bytes: Buffer, from: number, length: number, position: number): number {
    this.writes++;
    if (this.room <= 0) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    const take = Math.min(length, this.room);
    this.room -= take;
    return realFiles.write(fd, bytes, from, take, position);
  }

  truncate(fd: number, length: number): void {
    if (!this.truncates) throw Object.assign(new Error("i/o error"), { code: "EIO" });
    realFiles.truncate(fd, length);
  }

  async sync(fd: number): Promise<void> {
    this.syncCount++;
    await this.gate;
    if (!this.syncs) throw Object.assign(new Error("i/o error"), { code: "EIO" });
    await realFiles.sync(fd);
  }
}

function open(dir: string, durability: Durability, more: Partial<JournalOptions> = {}) {
  const ends: JournalEnd[] = [];
  const files = new Faults();
  const journal = new Journal({
    dir,
    durability,
    onReadable: (end) => ends.push(end),
    files,
    retryMs: 10,
    ...more,
  });
  return { journal, files, ends };
}

describe("the journal", () => {
  test("writes all records of one tick in one write", async () => {
    using folder = tempFolder();
    const { journal, files } = open(folder.path, "process");
    await Promise.all(Array.from({ length: 500 }, (_, n) => journal.append(probe(n), "reject")));
    expect(files.writes).toBe(1);
    expect(contents(folder.path).numbers).toEqual(Array.from({ length: 500 }, (_, n) => n));
    await journal.close();
  });

  test("starts a segment of its own each time and another one past the size", async () => {
    using folder = tempFolder();
    const first = open(folder.path, "process", { segmentBytes: 100 });
    for (let n = 0; n < 10; n++) await first.journal.append(probe(n), "reject");
    const segments = listSegments(folder.path).length;
    expect(segments).toBeGreaterThan(2);
    await first.journal.close();
    const second = open(folder.path, "process");
    await second.journal.append(probe(10), "reject");
    expect(listSegments(folder.path)).toEqual(
      Array.from({ length: segments + 1 }, (_, n) => n + 1),
    );
    expect(contents(folder.path).numbers).toEqual(Array.from({ length: 11 }, (_, n) => n));
    await second.journal.close();
  });

  for (const durability of ["process", "power"] as const) {
    test(`refuses and keeps while the disk is full, and recovers in order (${durability})`, async () => {
      using folder = tempFolder();
      const { journal, files } = open(folder.path, durability);
      await journal.append(probe(1), "reject");
      files.room = 7; // A part of a record gets through.
      const refused = journal.append(probe(100), "reject");
      const settled = [2, 3].map((n) => journal.append(probe(n), "keep"));
      await expect(refused).rejects.toMatchObject({ kind: "unavailable", status: 503 });
      expect(journal.writable).toBe(false);
      expect(journal.failure).toContain("no space left");
      expect(contents(folder.path)).toEqual({ numbers: [1], skipped: 0 });
      settled.push(journal.append(probe(4), "keep"));
      await expect(journal.append(probe(101), "reject")).rejects.toMatchObject({
        kind: "unavailable",
      });

      // Held in memory: no answer waits for the disk.
      await Promise.all(settled);
      expect(journal.writable).toBe(false);
      files.room = Number.POSITIVE_INFINITY;
      await until(() => journal.writable);
      await journal.append(probe(5), "reject");
      expect(contents(folder.path)).toEqual({ numbers: [1, 2, 3, 4, 5], skipped: 0 });
      expect(journal.failure).toBeNull();
      await journal.close();
    });
  }

  test("finds out by itself that the disk takes writes again", async () => {
    using folder = tempFolder();
    const { journal, files, ends } = open(folder.path, "process");
    files.room = 0;
    await journal.append(probe(1), "reject").catch(() => null);
    expect(journal.writable).toBe(false);
    files.room = Number.POSITIVE_INFINITY;
    await until(() => ends.length > 0);
    expect(journal.writable).toBe(true);
    await journal.close();
  });

  test("leaves a file it cannot repair and goes on in a new one", async () => {
    using folder = tempFolder();
    const { journal, files } = open(folder.path, "process");
    await journal.append(probe(1), "reject");
    files.room = 7;
    files.truncates = false;
    const kept = journal.append(probe(2), "keep");
    await journal.flush();
    await kept;
    files.room = Number.POSITIVE_INFINITY;
    await until(() => journal.writable);
    expect(listSegments(folder.path)).toEqual([1, 2]);
    expect(contents(folder.path)).toEqual({ numbers: [1, 2], skipped: 7 });
    await journal.close();
  });

  test("syncs in groups: what is written during one sync shares the next", async () => {
    using folder = tempFolder();
    const { journal, files, ends } = open(folder.path, "power");
    const gate = Promise.withResolvers<void>();
    files.gate = gate.promise;
    const first = journal.append(probe(0), "reject");
    await until(() => files.syncCount === 1);
    const rest: Promise<void>[] = [];
    for (let n = 1; n <= 20; n++) {
      rest.push(journal.append(probe(n), "reject"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(files.writes).toBe(21);
    expect(ends).toEqual([]);
    gate.resolve();
    await Promise.all([first, ...rest]);
    expect(files.syncCount).toBe(2);
    expect(ends.length).toBe(2);
    await journal.close();
  });

  test("after a failed sync takes back what was not durable and goes on in a new file", async () => {
    using folder = tempFolder();
    const { journal, files, ends } = open(folder.path, "power");
    await journal.append(probe(1), "reject");
    files.syncs = false;
    const refused = journal.append(probe(100), "reject");
    const kept = journal.append(probe(2), "keep");
    await expect(refused).rejects.toMatchObject({ kind: "unavailable" });
    await kept;
    files.syncs = true;
    await until(() => ends.at(-1)?.segment === 2);
    expect(contents(folder.path)).toEqual({ numbers: [1, 2], skipped: 0 });
    await journal.close();
  });

  test("closing writes what is queued", async () => {
    using folder = tempFolder();
    const { journal } = open(folder.path, "power");
    const queued = journal.append(probe(1), "reject");
    await journal.close();
    await queued;
    expect(contents(folder.path).numbers).toEqual([1]);
    await expect(journal.append(probe(2), "reject")).rejects.toMatchObject({ kind: "unavailable" });
  });
});
