/** A sequence of the context that no request uses: what it holds, and when it was used last. */
export interface FreeSlot {
  readonly tokens: readonly number[];
  readonly lastUsed: number;
}

export interface SlotChoice {
  readonly index: number;
  /** Tokens from the beginning whose state can stay. */
  readonly keep: number;
}

/** What losing a token that another conversation may still want weighs against one kept. */
const WEIGHT_OF_LOST = 0.25;

/**
 * The free slot where reusing the prompt's beginning gains more than dropping the rest of what it
 * holds loses; without one, the slot unused the longest. At least one token of the prompt is always
 * evaluated, to have something to sample from. Without `reuse` nothing is kept.
 */
export function chooseSlot(
  free: readonly FreeSlot[],
  prompt: readonly number[],
  reuse: boolean,
): SlotChoice | null {
  const rated = free.map(({ tokens, lastUsed }, index) => {
    const keep = reuse ? Math.min(commonPrefix(tokens, prompt), prompt.length - 1) : 0;
    const gain = keep - WEIGHT_OF_LOST * (tokens.length - keep);
    return { index, keep, lastUsed, gain: Math.max(0, gain) };
  });
  const [best] = rated.sort((a, b) => b.gain - a.gain || a.lastUsed - b.lastUsed);
  return best === undefined ? null : { index: best.index, keep: best.keep };
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}
