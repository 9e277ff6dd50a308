import { reproducibleStart, reproducibleUpTo } from "./prefill-pace.ts";

/** A sequence of the context that no request uses: what it holds, and when it was used last. */
export interface FreeSlot {
  readonly tokens: readonly number[];
  /** How many of them, from the beginning, were evaluated as a reproducible prompt. */
  readonly reproducible: number;
  /** Whose prompt and answer they are; null while it holds nobody's. */
  readonly owner: string | null;
  readonly lastUsed: number;
}

/** What asks for a slot. */
export interface SlotWish {
  readonly tokens: readonly number[];
  readonly owner: string;
  readonly reuse: Reuse;
}

/** Which state of an earlier prompt's beginning will do: any, one that is the same to the last bit, or none. */
export type Reuse = "any" | "reproducible" | "none";

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
 * evaluated, to have something to sample from. Nothing is kept of another owner's: how much was kept,
 * and how soon the answer begins, would tell what others asked.
 */
export function chooseSlot(free: readonly FreeSlot[], wish: SlotWish): SlotChoice | null {
  const rated = free.map((slot, index) => {
    const { tokens, owner, lastUsed } = slot;
    const keep = owner === wish.owner ? kept(slot, wish) : 0;
    const gain = keep - WEIGHT_OF_LOST * (tokens.length - keep);
    return { index, keep, lastUsed, gain: Math.max(0, gain) };
  });
  const [best] = rated.sort((a, b) => b.gain - a.gain || a.lastUsed - b.lastUsed);
  return best === undefined ? null : { index: best.index, keep: best.keep };
}

function kept({ tokens, reproducible }: FreeSlot, { tokens: prompt, reuse }: SlotWish): number {
  if (reuse === "none") return 0;
  const common = commonPrefix(tokens, prompt);
  if (reuse === "any") return Math.min(common, prompt.length - 1);
  return Math.min(
    reproducibleUpTo(Math.min(common, reproducible)),
    reproducibleStart(prompt.length),
  );
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}
