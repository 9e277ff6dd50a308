import { expect, test } from "bun:test";
import { batchFor, memoryFor } from "./footprint.ts";

const GiB = 2 ** 30;
const model = { weights: 2 * GiB, kvBytesPerToken: 32 * 1024, sequences: 4, contextSize: 131_072 };

test("weights, cache and overhead add up", () => {
  const { bytes, contextSize } = memoryFor({ ...model, contextSize: 8_192 }, 8 * GiB);
  expect(contextSize).toBe(8_192);
  expect(bytes / GiB).toBeCloseTo(2 + 1 + 0.1875);
});

test("a long context is halved until it fits, and not below 2,048 tokens", () => {
  expect(memoryFor(model, 5 * GiB, "f16").contextSize).toBe(16_384);
  const tooBig = memoryFor(model, 1 * GiB);
  expect(tooBig.contextSize).toBe(2_048);
  expect(tooBig.bytes).toBeGreaterThan(1 * GiB);
});

test("a context shorter than that stays as it is", () => {
  expect(memoryFor({ ...model, contextSize: 1_024 }, 1).contextSize).toBe(1_024);
});

test("a cache of 8 bits is taken where it brings a longer context, and only there", () => {
  const wanted = { ...model, contextSize: 65_536 };
  expect(memoryFor(wanted, 16 * GiB)).toMatchObject({ contextSize: 65_536, kvType: "f16" });
  expect(memoryFor(wanted, 8 * GiB)).toMatchObject({ contextSize: 65_536, kvType: "q8_0" });
  expect(memoryFor({ ...model, contextSize: 2_048 }, 2.4 * GiB).kvType).toBe("q8_0");
  // Too big anyhow: told is the least that it needs.
  expect(memoryFor(model, 1 * GiB).kvType).toBe("q8_0");
});

test("a type that is asked for is kept", () => {
  const tight = memoryFor(model, 5 * GiB, "f16");
  expect(tight).toMatchObject({ contextSize: 16_384, kvType: "f16" });
  const four = memoryFor({ ...model, contextSize: 8_192 }, 8 * GiB, "q4_0");
  expect(four.bytes / GiB).toBeCloseTo(2 + 18 / 64 + 0.1875);
});

test("a slow machine evaluates less in one go", () => {
  expect([batchFor(1, false), batchFor(8, false), batchFor(1, true)]).toEqual([128, 512, 512]);
});
