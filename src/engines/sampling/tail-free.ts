import type { Candidates } from "./candidates.ts";

/**
 * Tail-free sampling (Phénix and Egan, 2019): cuts where the curve of the sorted probabilities has
 * spent `z` of its curvature, the sum of its second differences' absolute values. As in Aphrodite,
 * the curve goes over the whole vocabulary: it falls to 0 where another sampler has cut already, and
 * the last token of a curve that is still whole goes always. 1 is off.
 */
export function tailFree(candidates: Candidates, z: number): void {
  if (z >= 1) return;
  candidates.weigh();
  const { weights, size, vocabularySize } = candidates;
  const whole = size >= vocabularySize;
  // Behind a cut, two zeros are all that bends the curve.
  const length = Math.min(vocabularySize, size + 2);
  const at = (place: number): number => (place < size ? (weights[place] ?? 0) : 0);
  const bend = (place: number): number => Math.abs(at(place) - 2 * at(place + 1) + at(place + 2));
  let curvature = 0;
  for (let place = 0; place + 2 < length; place++) curvature += bend(place);
  const enough = z * curvature;
  let spent = 0;
  let kept = 1;
  for (let place = 0; place + 2 < length; place++, kept++) {
    spent += bend(place);
    if (spent > enough) break;
  }
  candidates.keepFirst(whole ? Math.min(kept, size - 1) : kept);
}
