/** What may be shown after a piece of text, and whether a stop string ended the answer. */
export interface StopResult {
  readonly emit: string;
  readonly stopped: boolean;
}

/**
 * Ends a text at the first stop string and never lets a part of one out. What could still become a
 * stop string is held back. The outcome depends on the text alone, not on how it was cut into
 * pieces: of several stop strings the one that is complete first wins, and of those complete at the
 * same place the one that began first. The stop string itself is not emitted.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = "";
  #stopped = false;

  constructor(stops: Iterable<string>) {
    this.#stops = [...new Set(stops)].filter((stop) => stop !== "");
  }

  push(text: string): StopResult {
    if (this.#stopped) return { emit: "", stopped: true };
    const pending = this.#held + text;
    const match = firstMatch(pending, this.#stops);
    if (match !== null) {
      this.#stopped = true;
      this.#held = "";
      return { emit: pending.slice(0, match), stopped: true };
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

/** Where the winning stop string begins, or null. */
function firstMatch(text: string, stops: readonly string[]): number | null {
  let start: number | null = null;
  let end = Number.POSITIVE_INFINITY;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at === -1) continue;
    const stopEnd = at + stop.length;
    if (stopEnd < end || (stopEnd === end && start !== null && at < start)) {
      start = at;
      end = stopEnd;
    }
  }
  return start;
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
