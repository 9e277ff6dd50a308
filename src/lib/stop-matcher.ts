/** What may be shown after a piece of text, and whether a stop string ended the answer. */
export interface StopResult {
  readonly emit: string;
  readonly stopped: boolean;
}

/**
 * Ends a text at the first stop string and never lets a part of one out. What could still become a
 * stop string is held back. The outcome depends on the text alone, not on how it was cut into
 * pieces: of several stop strings the one that is complete first wins, and of those complete at the
 * same place the one that began first. The stop string itself is not emitted, unless it is `included`.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  readonly #included: boolean;
  /** False: what completes a stop string ends nothing yet, but what begins one may go on to. */
  ends = true;
  #held = "";
  #stopped = false;
  #dropped = 0;

  constructor(stops: Iterable<string>, included = false) {
    this.#included = included;
    this.#stops = [...new Set(stops)].filter((stop) => stop !== "");
  }

  /** UTF-16 units at the end of what was pushed that are not out; after a stop they never will be. */
  get behind(): number {
    return this.#dropped + this.#held.length;
  }

  push(text: string): StopResult {
    if (this.#stopped) {
      this.#dropped += text.length;
      return { emit: "", stopped: true };
    }
    const pending = this.#held + text;
    const match = this.ends ? firstMatch(pending, this.#stops, this.#held.length) : null;
    if (match !== null) {
      this.#stopped = true;
      this.#held = "";
      const emit = pending.slice(0, this.#included ? match.end : match.start);
      this.#dropped = pending.length - emit.length;
      return { emit, stopped: true };
    }
    const safe = pending.length - heldLength(pending, this.#stops);
    this.#held = pending.slice(safe);
    return { emit: pending.slice(0, safe), stopped: false };
  }

  /** The answer ended without a stop string: what was held back is part of it after all. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }
}

/** Where the winning stop string is, of those that end behind the first `read` characters; or null. */
function firstMatch(
  text: string,
  stops: readonly string[],
  read: number,
): { readonly start: number; readonly end: number } | null {
  let first: { readonly start: number; readonly end: number } | null = null;
  for (const stop of stops) {
    const start = text.indexOf(stop, Math.max(0, read - stop.length + 1));
    if (start === -1) continue;
    const end = start + stop.length;
    if (first === null || end < first.end || (end === first.end && start < first.start))
      first = { start, end };
  }
  return first;
}

/** Length of the longest end of `text` that is the beginning of a stop string. */
function heldLength(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let size = Math.min(stop.length - 1, text.length); size > longest; size--) {
      if (text.endsWith(stop.slice(0, size))) longest = size;
    }
  }
  return longest;
}
