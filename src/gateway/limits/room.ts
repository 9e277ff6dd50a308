import type { Claim, Used } from "./limits.ts";

/** What a request likely takes: where nothing else is said, its most. */
export function likelyOf({ likely, tokens, costNanoUsd }: Claim): Used {
  return likely ?? { tokens, costNanoUsd: costNanoUsd ?? 0 };
}

/**
 * How much of what is free is set aside for a request; null where it must not be admitted. Pure. Its most,
 * where that has room; else all there is, where what it likely takes has room and no other running
 * request of the key was given less than its most (`isShort`): so a limit is passed by no more than what
 * one request takes beyond the likely. `shared/limits.lua` decides in the same way.
 */
export function roomFor(
  most: number,
  likely: number,
  free: number,
  isShort: boolean,
): number | null {
  if (most <= free) return most;
  return likely <= free && !isShort ? free : null;
}
