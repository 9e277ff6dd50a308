import { expect, test } from "bun:test";
import { memoryFor } from "./footprint.ts";

const GiB = 2 ** 30;
const model = { weights: 2 * GiB, kvBytesPerToken: 32 * 1024, sequences: 4, contextSize: 131_072 };

test("weights, cache and overhead add up", () => {
  const { bytes, contextSize } = memoryFor({ ...model, contextSize: 8_192 }, 8 * GiB);
  expect(contextSize).toBe(8_192);
  expect(bytes / GiB).toBeCloseTo(2 + 1 + 0.1875);
});

test("a long context is halved until it fits, and not below 2,048 tokens", () => {
  expect(memoryFor(model, 5 * GiB).contextSize).toBe(16_384);
  const tooBig = memoryFor(model, 1 * GiB);
  expect(tooBig.contextSize).toBe(2_048);
  expect(tooBig.bytes).toBeGreaterThan(1 * GiB);
});

test("a context shorter than that stays as it is", () => {
  expect(memoryFor({ ...model, contextSize: 1_024 }, 1).contextSize).toBe(1_024);
});
