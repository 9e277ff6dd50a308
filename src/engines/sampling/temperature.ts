import type { Candidates } from "./candidates.ts";
import { entropy } from "./entropy.ts";

/** The coldest there is; colder ones would divide logits into infinity. Aphrodite's `_SAMPLING_EPS`. */
const COLDEST = 1e-5;

/**
 * Divides all logits by the temperature (Ackley, Hinton and Sejnowski, "A learning algorithm for
 * Boltzmann machines", 1985). 1 changes nothing.
 */
export function temperature(candidates: Candidates, degrees: number): void {
  if (degrees === 1) return;
  const divisor = Math.max(degrees, COLDEST);
  candidates.rescale((below) => below / divisor);
}

/**
 * A temperature between `min` and `max` that follows how uncertain the model is: `min + (max - min) *
 * (H / ln n) ^ exponent`, where H is the entropy of the n tokens that may come. Aphrodite's
 * `apply_all_temperatures`, llama.cpp's `temp_ext` (kalomaze, "dynamic temperature", 2023).
 */
export function dynamicTemperature(
  candidates: Candidates,
  min: number,
  max: number,
  exponent: number,
): void {
  if (candidates.size < 2) return;
  const normalized = Math.min(1, entropy(candidates) / Math.log(candidates.size));
  temperature(candidates, min + (max - min) * normalized ** exponent);
}
