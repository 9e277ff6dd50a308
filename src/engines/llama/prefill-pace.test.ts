import { expect, test } from "bun:test";
import { PrefillPace, reproducibleChunk } from "./prefill-pace.ts";

test("chunks grow to what takes about 450 ms and shrink when the machine slows down", () => {
  const pace = new PrefillPace(512);
  expect(pace.chunk(true)).toBe(32);
  pace.observe(32, 320);
  expect(pace.chunk(true)).toBe(40);
  for (let i = 0; i < 20; i++) pace.observe(100, 200);
  expect(pace.chunk(true)).toBe(224);
  for (let i = 0; i < 20; i++) pace.observe(100, 10_000);
  expect(pace.chunk(true)).toBe(16);
});

test("where no answer waits for it, a chunk may take three times as long", () => {
  const pace = new PrefillPace(512);
  pace.observe(32, 320);
  expect(pace.chunk(false)).toBe(128);
});

test("a chunk never overfills the batch", () => {
  const pace = new PrefillPace(124);
  pace.observe(124, 1);
  expect(pace.chunk(true)).toBe(120);
});

test("a chunk of a few tokens says nothing about the speed", () => {
  const pace = new PrefillPace(512);
  pace.observe(4, 200);
  expect(pace.chunk(true)).toBe(32);
});

test("a reproducible prompt is cut into groups of 8, the rest with a group, none of 64 or more", () => {
  for (let prompt = 1; prompt < 300; prompt++)
    for (const wanted of [16, 24, 40, 48, 56, 64, 128, 512]) {
      const chunks: number[] = [];
      for (let left = prompt; left > 0; left -= chunks.at(-1) ?? left)
        chunks.push(reproducibleChunk(wanted, left));
      const last = chunks.pop() ?? 0;
      for (const chunk of chunks)
        expect([chunk % 8, chunk < 64, chunk > 0]).toEqual([0, true, true]);
      expect(last).toBeLessThan(64);
      expect(last).toBeLessThanOrEqual(wanted + 8);
      if (prompt > 8) expect(last).toBeGreaterThan(8);
    }
});
