import type { Guide } from "../../src/engines/guided/guide.ts";
import type { Seeded } from "../seeded.ts";

export interface Walk {
  readonly text: string;
  /** Whether it came to its end by itself. */
  readonly ended: boolean;
  /** Microseconds that each mask took. */
  readonly times: readonly number[];
}

/** Takes any token that the guide allows, each as likely as the other, until one ends the answer. */
export function walk(
  guide: Guide,
  tokens: readonly Uint8Array[],
  ends: ReadonlySet<number>,
  random: Seeded,
  most: number,
): Walk {
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  const answer: number[] = [];
  const times: number[] = [];
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let step = 0; step < most; step++) {
    const began = performance.now();
    guide.allow(mask);
    times.push((performance.now() - began) * 1000);
    const token = anyOf(mask, random);
    const mayEnd = guide.complete;
    guide.accept(token);
    if (ends.has(token)) {
      if (!mayEnd) throw new Error("an end was allowed where the answer was not complete");
      return { text: decoder.decode(Uint8Array.from(answer)), ended: true, times };
    }
    answer.push(...(tokens[token] ?? []));
  }
  // What is cut may be cut within a character.
  return { text: new TextDecoder().decode(Uint8Array.from(answer)), ended: false, times };
}

function anyOf(mask: Uint32Array, random: Seeded): number {
  const allowed: number[] = [];
  for (const [word, bits] of mask.entries())
    for (let left = bits; left !== 0; left &= left - 1)
      allowed.push(word * 32 + 31 - Math.clz32(left & -left));
  const token = allowed[random.below(allowed.length)];
  if (token === undefined) throw new Error("a guide allowed nothing");
  return token;
}
