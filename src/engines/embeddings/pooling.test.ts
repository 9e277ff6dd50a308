import { expect, test } from "bun:test";
import { normalise, poolingWeights, shortened } from "./pooling.ts";

test("an embedding is the mean of all tokens, the first one, or the last one", () => {
  expect([...poolingWeights("mean", 4)]).toEqual([0.25, 0.25, 0.25, 0.25]);
  expect([...poolingWeights("cls", 3)]).toEqual([1, 0, 0]);
  expect([...poolingWeights("last", 3)]).toEqual([0, 0, 1]);
});

test("a vector gets length 1, and one of zeros stays as it is", () => {
  const [x = 0, y = 0] = normalise(Float32Array.of(3, 4));
  expect([x, y].map((number) => number.toFixed(6))).toEqual(["0.600000", "0.800000"]);
  expect([...normalise(Float32Array.of(0, 0))]).toEqual([0, 0]);
});

test("a shortened embedding is its beginning, of length 1 again; the whole is not touched", () => {
  const vector = Float32Array.of(0.6, 0, 0.8);
  expect([...shortened(vector, 2)]).toEqual([1, 0]);
  expect([...vector]).toEqual([...Float32Array.of(0.6, 0, 0.8)]);
  expect(shortened(vector, 3)).toBe(vector);
});
