import { describe, expect, test } from "bun:test";
import { decode, encode, encodedBound, HEADER_BYTES } from "./record.ts";
import type { JournalRecord } from "./schema.ts";

function bytesOf(records: readonly JournalRecord[]): Buffer {
  const texts = records.map((record) => JSON.stringify(record));
  const buffer = Buffer.alloc(encodedBound(texts));
  return buffer.subarray(0, encode(texts, buffer));
}

const records: JournalRecord[] = [
  { t: "boot", at: 1, version: "1.0" },
  {
    t: "reserve",
    id: "a",
    at: 2,
    endpoint: "/v1/chat/completions",
    model: "größe/日本語🐦",
    keyId: "k",
    stream: true,
    requestId: null,
    referer: "https://example.com/",
    title: null,
  },
  { t: "progress", at: 3, calls: [["a", 5, 6, 0, "counted", 0.5, null]] },
  { t: "probe", at: 4 },
];

describe("the journal's records", () => {
  test("read back as they were written", () => {
    const bytes = bytesOf(records);
    expect(decode(bytes, true)).toEqual({
      records,
      consumed: bytes.length,
      skippedBytes: 0,
      tornBytes: 0,
      unknown: 0,
    });
  });

  test("cut at any byte, the first part plus the rest read as the whole", () => {
    const bytes = bytesOf(records);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = decode(bytes.subarray(0, cut), false);
      const rest = decode(bytes.subarray(first.consumed), true);
      expect(first.skippedBytes + rest.skippedBytes).toBe(0);
      expect([...first.records, ...rest.records]).toEqual(records);
    }
  });

  test("torn at any byte, all whole records before it are read and the torn one is skipped", () => {
    const bytes = bytesOf(records);
    const ends = records.map((_, index) => bytesOf(records.slice(0, index + 1)).length);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const torn = decode(bytes.subarray(0, cut), true);
      const whole = ends.filter((end) => end <= cut);
      expect(torn.records).toEqual(records.slice(0, whole.length));
      expect(torn.consumed).toBe(cut);
      expect([torn.tornBytes, torn.skippedBytes]).toEqual([cut - (whole.at(-1) ?? 0), 0]);
    }
  });

  test("room that was never written, at the end, is torn too; zeros between records are damage", () => {
    const bytes = bytesOf(records);
    const zeros = Buffer.alloc(300);
    const atEnd = decode(Buffer.concat([bytes, zeros]), true);
    expect([atEnd.records, atEnd.tornBytes, atEnd.skippedBytes]).toEqual([records, 300, 0]);
    const between = decode(Buffer.concat([bytes, zeros, bytes]), true);
    expect([between.tornBytes, between.skippedBytes]).toEqual([0, 300]);
    const half = bytes.subarray(0, bytes.length - 3);
    const cut = decode(Buffer.concat([half, bytes]), true);
    expect([cut.tornBytes > 0, cut.skippedBytes > 0]).toEqual([false, true]);
  });

  test("with any one byte changed, at most the record it is in is lost, and the loss is counted", () => {
    const bytes = bytesOf(records);
    const lastAt = bytesOf(records.slice(0, -1)).length;
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x41;
      const read = decode(damaged, true);
      expect(read.records.length).toBe(records.length - 1);
      expect(records).toEqual(expect.arrayContaining(read.records));
      const left = bytesOf(read.records).length;
      expect(read.skippedBytes + read.tornBytes).toBe(bytes.length - left);
      // Only a last record that says it is longer than it is looks like one that was cut off.
      if (at < lastAt) expect(read.tornBytes).toBe(0);
    }
  });

  test("garbage between records, cut at any byte, costs no record", () => {
    const [boot, reserve, ...rest] = records;
    if (boot === undefined || reserve === undefined) throw new Error("no records");
    // Half headers and a false magic are the nastiest garbage.
    const garbage = Buffer.from("fec7000000fefec7fec70000000300000000", "hex");
    const bytes = Buffer.concat([bytesOf([boot]), garbage, bytesOf([reserve, ...rest])]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = decode(bytes.subarray(0, cut), false);
      const second = decode(bytes.subarray(first.consumed), true);
      expect([...first.records, ...second.records]).toEqual(records);
      expect(first.skippedBytes + second.skippedBytes).toBe(garbage.length);
    }
  });

  test("a whole record this version does not know is counted and the next one is read", () => {
    const texts = ['{"t":"from-the-future"}', '{"t":"boot","at":1,"version":"2"}', "not json"];
    const buffer = Buffer.alloc(encodedBound(texts));
    const read = decode(buffer.subarray(0, encode(texts, buffer)), true);
    expect(read.records).toEqual([{ t: "boot", at: 1, version: "2" }]);
    expect(read.unknown).toBe(2);
    expect(read.skippedBytes).toBe(0);
  });

  test("a checksum is the CRC-32 of IEEE 802.3 over the payload", () => {
    const buffer = Buffer.alloc(100);
    encode(["123456789"], buffer);
    expect(buffer.toString("hex", 0, HEADER_BYTES)).toBe("fec700000009cbf43926");
  });
});
