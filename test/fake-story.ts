/** Answers that are the same for the same question, so that a test knows every character of them. */

const WORDS = [
  "river stone lantern harbour winter copper signal orchard paper thunder",
  "violet compass meadow engine whisper granite candle journey mirror salt",
  "Straße façade naïve œuvre żółw smørrebrød crème jalapeño Ångström piñata",
  "你好 世界 日本語 한국어 Привет Ελλάδα שלום नमस्ते 漢字 東京",
  "🌍 👩‍🚀 🏳️‍🌈 👍🏽 𝒳 “quoted” it's e.g. 3.14 naïve\\back {brace} <tag> data:",
].flatMap((line) => line.split(" "));
const BETWEEN = [" ", " ", " ", " ", " ", " ", ", ", ". ", "\n", "\n\n", " – ", ": ", "! "];

/** Small numbers, always the same for one text. Mulberry32 over an FNV-1a hash. */
export function numbersFor(text: string): () => number {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  }
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** The answer to this text: `count` words with all that is hard about text in between. No word stands twice. */
export function storyFor(text: string, count: number): string {
  const next = numbersFor(text);
  const pick = (list: readonly string[]) => list[next() % list.length] ?? "";
  let story = "";
  for (let i = 0; i < count; i++) {
    // Numbered, so that nothing that is said twice or left out can go unnoticed.
    const word = i % 3 === 0 ? `${pick(WORDS)}${i}` : pick(WORDS);
    story += i === count - 1 ? `${word}.` : word + pick(BETWEEN);
  }
  return story;
}

/** Pieces as an engine's tokens make them: a few characters each, white space before a word, no half characters. */
export function piecesOf(text: string): string[] {
  return text.match(/\s?[\p{L}\p{N}]{1,4}|\s?[^\s\p{L}\p{N}]|\s/gu) ?? [];
}

export const NOT_A_PREFIX = "<<not-a-prefix>>";

/** What follows after the beginning of a text: its pieces, the first one perhaps only the rest of one. */
export function piecesAfter(text: string, begun: string): string[] {
  if (!text.startsWith(begun)) return [NOT_A_PREFIX];
  const rest: string[] = [];
  let at = 0;
  for (const piece of piecesOf(text)) {
    const end = at + piece.length;
    if (end > begun.length) rest.push(piece.slice(Math.max(0, begun.length - at)));
    at = end;
  }
  return rest;
}

/** Words that belong to no story, to go on with after a beginning of `begun`. */
export function ownWords(begun: string, count: number, seed: string): string[] {
  const left = Math.max(2, count - begun.split(/\s+/u).length);
  const words = storyFor(seed, left);
  return piecesOf(begun === "" || /\s$/u.test(begun) ? words : ` ${words}`);
}

export interface Cut {
  /** Text that may be sent, one for each event. */
  readonly said: readonly string[];
  readonly reason: "stop" | "length";
  /** Pieces that were made, those cut off by a stop string included. */
  readonly made: number;
}

/**
 * What an engine sends of these pieces: `max` of them at most, up to the first stop string, which is
 * not sent itself. Text that could be the beginning of a stop string is held back until it isn't.
 */
export function cutAt(pieces: readonly string[], max: number, stops: readonly string[]): Cut {
  const said: string[] = [];
  let held = "";
  for (const [i, piece] of pieces.entries()) {
    if (i >= max) return { said: held === "" ? said : [...said, held], reason: "length", made: i };
    held += piece;
    const found = firstStop(held, stops);
    if (found !== null) {
      if (found > 0) said.push(held.slice(0, found));
      return { said, reason: "stop", made: i + 1 };
    }
    const keep = heldBack(held, stops);
    if (keep < held.length) said.push(held.slice(0, held.length - keep));
    held = held.slice(held.length - keep);
  }
  if (held !== "") said.push(held);
  return { said, reason: "stop", made: pieces.length };
}

function firstStop(text: string, stops: readonly string[]): number | null {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length === 0 ? null : Math.min(...found);
}

/** How many characters at the end could be the beginning of a stop string. */
function heldBack(text: string, stops: readonly string[]): number {
  let most = 0;
  for (const stop of stops) {
    for (let n = Math.min(stop.length - 1, text.length); n > most; n--) {
      if (text.endsWith(stop.slice(0, n))) most = n;
    }
  }
  return most;
}
