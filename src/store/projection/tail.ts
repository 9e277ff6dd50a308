import { closeSync, existsSync, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { decode, HEADER_BYTES, MAX_PAYLOAD_BYTES } from "../record.ts";
import type { JournalRecord } from "../schema.ts";
import { type JournalEnd, listSegments, segmentPath } from "../segment.ts";
import type { Position } from "./position.ts";

/** Bytes of journal in one transaction. Longer than the longest record, so that reading always moves on. */
const CHUNK_BYTES = 2 * (MAX_PAYLOAD_BYTES + HEADER_BYTES);

export interface Piece {
  readonly records: JournalRecord[];
  /** Where to go on after them. */
  readonly next: Position;
  readonly unknown: number;
  /** Bytes of a record that was never finished, at the end of a segment: what it said was confirmed to nobody. */
  readonly tornBytes: number;
  /** The position was another journal's, so that this one is read from its start. */
  readonly restarted: boolean;
}

/**
 * The next piece of the journal after `from`, or null at its end. Nothing past `end` is read: the
 * writer may still take it back. Older segments are read to the end of their file, where a torn
 * record is left out.
 */
export function nextPiece(dir: string, from: Position, end: JournalEnd): Piece | null {
  const start = startOf(dir, from, end);
  const { segment, offset } = start;
  if (segment === end.segment && offset >= end.offset) return null;
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const file = segmentPath(dir, segment);
  const { length, last } = readFrom(
    file,
    offset,
    segment === end.segment ? end.offset : null,
    buffer,
  );
  const decoded = decode(buffer.subarray(0, length), last);
  const at = offset + decoded.consumed;
  const next =
    last && segment < end.segment
      ? after(dir, segment, end)
      : { segment, offset: at, ...(at > 0 ? { head: headOf(dir, segment) } : {}) };
  return {
    records: decoded.records,
    next: { ...next, skippedBytes: from.skippedBytes + decoded.skippedBytes },
    unknown: decoded.unknown,
    tornBytes: decoded.tornBytes,
    restarted: start !== from && from.segment > 0,
  };
}

/** Deletes the segments that are wholly in the database: those before the position's. */
export function deleteIngested(dir: string, position: Position): void {
  for (const segment of listSegments(dir)) {
    if (segment < position.segment) rmSync(segmentPath(dir, segment), { force: true });
  }
}

/**
 * Where to read for a stored position. One that is not of this journal (someone emptied the folder, or gave
 * another home the same `gateway-id`) says nothing of it: it is read from its start, which is safe, as every
 * record may be read twice. From the middle, calls would be lost, and the rest of a record taken for damage.
 */
function startOf(dir: string, from: Position, end: JournalEnd): JournalEnd {
  const isOurs =
    from.segment < end.segment
      ? existsSync(segmentPath(dir, from.segment))
      : from.segment === end.segment && from.offset <= end.offset;
  return isOurs && isRead(dir, from) ? from : after(dir, 0, end);
}

/** Whether the segment there is the one that was read so far. */
function isRead(dir: string, { segment, offset, head }: Position): boolean {
  return offset === 0 || head === undefined || headOf(dir, segment) === head;
}

/** The header of a segment's first record in hexadecimal: its length and checksum, two journals' never the same. */
function headOf(dir: string, segment: number): string {
  const header = Buffer.alloc(HEADER_BYTES);
  const fd = openSync(segmentPath(dir, segment), "r");
  try {
    return header.toString("hex", 0, readSync(fd, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

function after(dir: string, segment: number, end: JournalEnd): JournalEnd {
  const number = listSegments(dir).find((other) => other > segment) ?? end.segment;
  return { segment: number, offset: 0 };
}

/** Fills the buffer. `last`: nothing follows these bytes, up to `end` or the end of the file. */
function readFrom(
  file: string,
  offset: number,
  end: number | null,
  buffer: Buffer,
): { length: number; last: boolean } {
  const fd = openSync(file, "r");
  try {
    const size = end ?? fstatSync(fd).size;
    const wanted = Math.max(0, Math.min(buffer.length, size - offset));
    let length = 0;
    while (length < wanted) {
      const read = readSync(fd, buffer, length, wanted - length, offset + length);
      if (read === 0) break;
      length += read;
    }
    return { length, last: offset + length >= size || length < wanted };
  } finally {
    closeSync(fd);
  }
}
