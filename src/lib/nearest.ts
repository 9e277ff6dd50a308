/** More wrong letters than this are no typing error, however long the word. */
const MOST_EDITS = 12;
/** How many candidates are compared letter by letter. */
const MOST_COMPARED = 1_000;

/**
 * Damerau-Levenshtein distance (optimal string alignment): edits and swaps of neighbours count one.
 * Above `limit` it may give any number above it, which costs less.
 */
export function distance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  const width = b.length + 1;
  let before = new Uint16Array(width);
  let previous = Uint16Array.from({ length: width }, (_, column) => column);
  let current = new Uint16Array(width);
  for (let row = 1; row <= a.length; row++) {
    const letter = a.charCodeAt(row - 1);
    current[0] = row;
    let last = row;
    let lowest = row;
    for (let column = 1; column < width; column++) {
      const other = b.charCodeAt(column - 1);
      let best = (previous[column - 1] ?? 0) + (letter === other ? 0 : 1);
      best = Math.min(best, (previous[column] ?? 0) + 1, last + 1);
      const isSwap =
        row > 1 &&
        column > 1 &&
        letter === b.charCodeAt(column - 2) &&
        other === a.charCodeAt(row - 2);
      if (isSwap) best = Math.min(best, (before[column - 2] ?? 0) + 1);
      current[column] = best;
      last = best;
      if (best < lowest) lowest = best;
    }
    // A swap reaches two rows back, and adds one.
    if (lowest > limit + 1) return limit + 1;
    [before, previous, current] = [previous, current, before];
  }
  return previous[b.length] ?? 0;
}

/**
 * What someone who typed `word` most likely meant, or undefined when nothing is close: at most a
 * third of its letters wrong (two for short words, twelve for long ones), or a candidate that contains
 * it whole. Letters are counted before anything is compared, and the likeliest are compared first and
 * only so many, so that tens of thousands of candidates take milliseconds.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted === "") return undefined;
  const allowed = Math.min(MOST_EDITS, Math.max(2, Math.floor(wanted.length / 3)));
  const letters = lettersOf(wanted);
  const likely: string[][] = Array.from({ length: allowed + 1 }, () => []);
  let shortest: string | undefined;
  for (const candidate of candidates) {
    const name = candidate.toLowerCase();
    likely[atLeast(letters, wanted.length, name)]?.push(candidate);
    if (wanted.length < 3 || !name.includes(wanted)) continue;
    if (shortest === undefined || name.length < shortest.length) shortest = candidate;
  }
  let best: string | undefined;
  let fewest = allowed + 1;
  let left = MOST_COMPARED;
  for (const [edits, names] of likely.entries()) {
    if (edits >= fewest || left === 0) break;
    for (const candidate of names.slice(0, left)) {
      left--;
      const needed = distance(wanted, candidate.toLowerCase(), fewest - 1);
      if (needed >= fewest) continue;
      fewest = needed;
      best = candidate;
      if (fewest <= edits) break;
    }
  }
  return best ?? shortest;
}

const BUCKETS = 64;
const scratch = new Uint8Array(BUCKETS);

/** How often each letter comes up, several letters sharing a place. */
function lettersOf(text: string): Uint8Array {
  const letters = new Uint8Array(BUCKETS);
  for (let at = 0; at < text.length; at++) {
    const place = text.charCodeAt(at) % BUCKETS;
    letters[place] = Math.min(255, (letters[place] ?? 0) + 1);
  }
  return letters;
}

/** A number of edits that turning a word of these letters into `name` takes at least. */
function atLeast(letters: Uint8Array, length: number, name: string): number {
  const more = name.length - length;
  if (Math.abs(more) > MOST_EDITS) return Math.abs(more);
  scratch.set(letters);
  let shared = 0;
  for (let at = 0; at < name.length; at++) {
    const place = name.charCodeAt(at) % BUCKETS;
    const left = scratch[place] ?? 0;
    if (left === 0) continue;
    scratch[place] = left - 1;
    shared++;
  }
  return Math.max(length - shared, name.length - shared);
}
