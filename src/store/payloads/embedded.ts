/** Bytes that stand in a text as a data URI with base64, and where. */
export interface Embedded {
  readonly from: number;
  readonly to: number;
  /** In lower case, without parameters; empty where none is given. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

const MARK = /;base64,/gi;
const MARK_LENGTH = ";base64,".length;
/** The longest `data:…` before the mark. */
const LONGEST_HEAD = 500;
const HEAD = /^data:([^,;\s]{0,100})(?:;[^,;\s]{0,100}){0,4}$/i;
/** Shorter texts under a field for bytes are names and formats. */
const SHORTEST_BYTES = 40;

const inBase64 = new Uint8Array(128);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=\r\n") {
  inBase64[char.charCodeAt(0)] = 1;
}

/**
 * Every data URI with base64 in a text, in order; without bytes where it can't be decoded. Takes a
 * time that grows with the text alone.
 */
export function embeddedData(text: string): Embedded[] {
  const found: Embedded[] = [];
  let end = 0;
  for (const { index: mark } of text.matchAll(MARK)) {
    const before = text.slice(Math.max(end, mark - LONGEST_HEAD), mark);
    const start = before.toLowerCase().lastIndexOf("data:");
    const head = start === -1 ? null : HEAD.exec(before.slice(start));
    if (head === null) continue;
    const from = mark - before.length + start;
    const to = runEnd(text, mark + MARK_LENGTH);
    const bytes = decoded(text.slice(mark + MARK_LENGTH, to)) ?? new Uint8Array();
    found.push({ from, to, mediaType: (head[1] ?? "").toLowerCase(), bytes });
    end = to;
  }
  return found;
}

/** Whether a text is nothing but bytes in base64. */
export function isBase64(text: string): boolean {
  return text.length >= SHORTEST_BYTES && runEnd(text, 0) === text.length && decoded(text) !== null;
}

function runEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && inBase64[text.charCodeAt(at)] === 1) at += 1;
  return at;
}

function decoded(base64: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(base64);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
