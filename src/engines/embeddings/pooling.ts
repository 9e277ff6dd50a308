import type { Pooling } from "./protocol.ts";

/** How much of a text's embedding each of its tokens is: all alike, the first alone, or the last. */
export function poolingWeights(pooling: Pooling, tokens: number): Float32Array {
  const weights = new Float32Array(tokens);
  if (pooling === "mean") return weights.fill(1 / tokens);
  weights[pooling === "cls" ? 0 : tokens - 1] = 1;
  return weights;
}

/** In place: a vector of length 1; one of zeros stays as it is. */
export function normalise(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const number of vector) sum += number * number;
  if (sum === 0) return vector;
  const factor = 1 / Math.sqrt(sum);
  for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] ?? 0) * factor;
  return vector;
}

/** The first numbers of an embedding, of length 1 again (Matryoshka, https://arxiv.org/abs/2205.13147). */
export function shortened(vector: Float32Array, dimensions: number): Float32Array {
  return dimensions >= vector.length ? vector : normalise(vector.slice(0, dimensions));
}
