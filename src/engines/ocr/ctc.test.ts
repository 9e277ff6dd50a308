import { expect, test } from "bun:test";
import { alphabet, decode, rivalClasses } from "./ctc.ts";

const CLASSES = alphabet("a\nb\n");

/** Likelihoods where each step has its class at 0.8, or as told. */
function path(...steps: readonly (number | readonly [index: number, likelihood: number])[]) {
  const likelihoods = new Float32Array(steps.length * CLASSES.length);
  steps.forEach((step, at) => {
    const [index, likelihood] = typeof step === "number" ? [step, 0.8] : step;
    likelihoods[at * CLASSES.length + index] = likelihood;
  });
  return decode(likelihoods, steps.length, CLASSES, steps.length * 8);
}

test("the alphabet is the blank, the dictionary's lines and the space", () => {
  expect(CLASSES).toEqual(["", "a", "b", " "]);
  expect(alphabet("a\r\nb")).toEqual(["", "a", "b", " "]);
});

test("what repeats is one character, unless a blank is between", () => {
  expect(path(1, 1, 0, 1, 2, 2, 3, 1).text).toBe("aab a");
});

test("the confidence is the mean of each character's best step", () => {
  const { confidence } = path([1, 0.5], [1, 0.9], 0, [2, 0.7]);
  expect(confidence).toBeCloseTo(0.8, 5);
});

test("each character has its place in the pixels, where it was seen first", () => {
  expect(path(0, 1, 1, 0, 2).places).toEqual([12, 36]);
});

test("before each character but the first it tells how likely a space was at the most, though none was read", () => {
  const likelihoods = new Float32Array([
    ...[0, 0.9, 0, 0.1],
    ...[0.7, 0, 0, 0.3],
    ...[0.9, 0, 0, 0.1],
    ...[0, 0, 0.8, 0.2],
    ...[0, 0.9, 0.1, 0],
  ]);
  const { text, spaces } = decode(likelihoods, 5, CLASSES, 40);
  expect(text).toBe("aba");
  expect(spaces.map((each) => Math.round(100 * each))).toEqual([0, 30, 20]);
});

test("blanks alone are no text, and sure of nothing", () => {
  expect(path(0, 0, 0)).toEqual({ text: "", confidence: 0, places: [], spaces: [], rivals: [] });
});

test("what else a character may have been is told where it was asked, as of its surest step", () => {
  const classes = alphabet("0\no\n");
  const likelihoods = new Float32Array([
    0, 0.5, 0.5, 0, 0, 0.8, 0.2, 0, 1, 0, 0, 0, 0, 0.1, 0.9, 0,
  ]);
  const asked = rivalClasses(classes, new Map([["0", ["o"]]]));
  const { text, rivals } = decode(likelihoods, 4, classes, 32, asked);
  expect(text).toBe("0o");
  expect(rivals[0]?.get("o")).toBeCloseTo(0.25, 5);
  expect(rivals[1]).toEqual(new Map());
});
