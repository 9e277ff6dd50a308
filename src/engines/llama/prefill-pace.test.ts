import { expect, test } from "bun:test";
import { PrefillPace } from "./prefill-pace.ts";

test("chunks grow to what takes about 450 ms and shrink when the machine slows down", () => {
  const pace = new PrefillPace(512);
  expect(pace.chunk(0)).toBe(32);
  pace.observe(32, 320);
  expect(pace.chunk(0)).toBe(45);
  for (let i = 0; i < 20; i++) pace.observe(100, 200);
  expect(pace.chunk(0)).toBeCloseTo(225, -1);
  for (let i = 0; i < 20; i++) pace.observe(100, 10_000);
  expect(pace.chunk(0)).toBe(16);
});

test("the other answers' tokens count, and the batch is never overfilled", () => {
  const pace = new PrefillPace(124);
  pace.observe(32, 320);
  expect(pace.chunk(4)).toBe(41);
  pace.observe(124, 1);
  expect(pace.chunk(0)).toBe(124);
});

test("a step that only decodes says nothing about prefill", () => {
  const pace = new PrefillPace(512);
  pace.observe(4, 200);
  expect(pace.chunk(0)).toBe(32);
});
