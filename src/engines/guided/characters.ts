import { type CharRanges, rangesOf } from "./char-ranges.ts";

/**
 * A character that is not whole yet, as a number: bytes of UTF-8, or of a JSON escape. 0 is none.
 * Its upper bits are what is known of the code point, its lower four which stage it is at.
 */
export type Pending = number;

const STAGE = 16;
const ESCAPE = 1;
/** `\u` and so many digits: 2 to 5. */
const UNICODE = 2;
const stage = (at: number, value: number): Pending => value * STAGE + at;

/** Stages within UTF-8: how many bytes are missing, and the smallest code point of that length. */
interface Multibyte {
  readonly missing: number;
  readonly least: number;
}
const MULTIBYTE: readonly Multibyte[] = [
  { missing: 1, least: 0x80 },
  { missing: 2, least: 0x800 },
  { missing: 1, least: 0x800 },
  { missing: 3, least: 0x10000 },
  { missing: 2, least: 0x10000 },
  { missing: 1, least: 0x10000 },
];
const ESCAPED = rangesOf([
  [0, 0x1f],
  [0x22, 0x22],
  [0x2f, 0x2f],
  [0x5c, 0x5c],
  [0x7f, 0xffff],
]);
const FIRST_MULTIBYTE = 6;
const BACKSLASH = 0x5c;
const ESCAPES: ReadonlyMap<number, number> = new Map(
  [...'""\\\\//b\bf\fn\nr\rt\t'.matchAll(/(.)(.)/gs)].map(([, from = "", to = ""]) => [
    from.charCodeAt(0),
    to.charCodeAt(0),
  ]),
);

/** What one more byte makes: a whole character, one that is not whole yet, or nothing that there is. */
export type Piece =
  | { readonly whole: number }
  | {
      readonly pending: Pending;
      /** The characters that it can still become. */
      readonly becomes: CharRanges;
    };

/** What `\u` may stand for: nothing that has no need of it, and no half of a pair of surrogates. */
const WRITTEN_IN_HEX = rangesOf([
  [0, 0x1f],
  [0x7f, 0xffff],
]);

/**
 * One more byte of a text, or with `escapes` of a JSON string's inside. What a byte makes of a
 * pending character never depends on anything else, so it is kept.
 */
export function piece(pending: Pending, byte: number, escapes: boolean): Piece | null {
  const name = (pending * 256 + byte) * 2 + (escapes ? 1 : 0);
  const known = pieces.get(name);
  if (known !== undefined) return known;
  const found = makePiece(pending, byte, escapes);
  if (pieces.size > 50_000) pieces.clear();
  pieces.set(name, found);
  return found;
}

const pieces = new Map<number, Piece | null>();

function makePiece(pending: Pending, byte: number, escapes: boolean): Piece | null {
  if (pending === 0) return firstByte(byte, escapes);
  const at = pending % STAGE;
  const value = Math.floor(pending / STAGE);
  if (at === ESCAPE) {
    if (byte === 0x75) return unicode(UNICODE, 0);
    const whole = ESCAPES.get(byte);
    return whole === undefined ? null : { whole };
  }
  if (at < FIRST_MULTIBYTE) {
    const digit = Number.parseInt(String.fromCharCode(byte), 16);
    return Number.isNaN(digit) ? null : unicode(at + 1, value * 16 + digit);
  }
  return byte >= 0x80 && byte < 0xc0 ? continued(at, value * 64 + (byte - 0x80)) : null;
}

function firstByte(byte: number, escapes: boolean): Piece | null {
  if (escapes && byte === BACKSLASH) return { pending: stage(ESCAPE, 0), becomes: ESCAPED };
  if (byte < 0x80) return escapes && (byte < 0x20 || byte === 0x22) ? null : { whole: byte };
  if (byte >= 0xc2 && byte < 0xe0) return multibyte(FIRST_MULTIBYTE, byte - 0xc0);
  if (byte >= 0xe0 && byte < 0xf0) return multibyte(FIRST_MULTIBYTE + 1, byte - 0xe0);
  if (byte >= 0xf0 && byte < 0xf5) return multibyte(FIRST_MULTIBYTE + 3, byte - 0xf0);
  return null;
}

/** The stage behind the last digit or byte has the character whole. */
function unicode(at: number, value: number): Piece | null {
  const size = 16 ** (UNICODE + 4 - at);
  const becomes = between(WRITTEN_IN_HEX, value * size, (value + 1) * size - 1);
  if (becomes.length === 0) return null;
  return size === 1 ? { whole: value } : { pending: stage(at, value), becomes };
}

function continued(at: number, value: number): Piece | null {
  const { missing, least } = MULTIBYTE[at - FIRST_MULTIBYTE] ?? { missing: 0, least: 0 };
  if (missing !== 1) return multibyte(at + 1, value);
  return value < least || isSurrogate(value) || value > 0x10ffff ? null : { whole: value };
}

function multibyte(at: number, value: number): Piece | null {
  const { missing, least } = MULTIBYTE[at - FIRST_MULTIBYTE] ?? { missing: 0, least: 0 };
  const size = 64 ** missing;
  const low = Math.max(value * size, least);
  const high = Math.min((value + 1) * size - 1, 0x10ffff);
  const becomes = low > high ? [] : rangesOf([[low, high]]);
  return becomes.length === 0 ? null : { pending: stage(at, value), becomes };
}

function between(ranges: CharRanges, low: number, high: number): CharRanges {
  return ranges.flatMap(([from, to]) =>
    from > high || to < low ? [] : [[Math.max(from, low), Math.min(to, high)] as const],
  );
}

/**
 * Of all that wait for as many bytes, and become no characters but those from `low` to `high`, the first
 * one: what follows is the same for each of them.
 */
export function firstAlike(
  pending: Pending,
  becomes: CharRanges,
  low: number,
  high: number,
): Pending {
  const at = pending % STAGE;
  const bytes = MULTIBYTE[at - FIRST_MULTIBYTE];
  const [only] = becomes;
  if (bytes === undefined || only === undefined || only[0] < low || only[1] > high) return pending;
  const size = 64 ** bytes.missing;
  // Not all of the bytes may follow.
  if (only[1] - only[0] + 1 !== size) return pending;
  return stage(at, Math.ceil(Math.max(low, bytes.least) / size));
}

function isSurrogate(point: number): boolean {
  return point >= 0xd800 && point <= 0xdfff;
}
