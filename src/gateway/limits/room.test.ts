import { expect, test } from "bun:test";
import { forSeeds } from "../../../test/seeded.ts";
import { promptSize } from "../../lib/prompt-size.ts";
import { roomFor } from "./room.ts";

const sizeOf = (prompt: string) => promptSize({ prompt });

test("prompts that have a token a byte pass a minute's tokens by two thirds of one of them, never past three times the limit", () => {
  forSeeds(300, (random) => {
    const limit = 1_000 + random.below(50_000);
    let used = 0;
    for (let call = 0; call < 40; call++) {
      const { most, likely } = sizeOf("7".repeat(random.below(4 * limit)));
      const free = limit - used;
      if (roomFor(most, likely, free, false) === null) continue;
      used += most;
      expect(used - limit).toBeLessThanOrEqual(Math.max(0, most - likely));
      expect(used).toBeLessThanOrEqual(3 * limit);
      if (used > limit) expect(roomFor(1, 1, limit - used, false)).toBeNull();
    }
  });
});

test("of 200,000 tokens a minute, 600,000 digits are about the most that may come", () => {
  const limit = 200_000;
  const digits = (count: number) => sizeOf("7".repeat(count));
  const { most, likely } = digits(599_800);
  expect(roomFor(most, likely, limit, false)).toBe(limit);
  expect(most - limit).toBeGreaterThan(399_000);
  const more = digits(600_000);
  expect(roomFor(more.most, more.likely, limit, false)).toBeNull();
});

test("while one runs that was given less than its most, no other is", () => {
  expect(roomFor(300, 100, 200, true)).toBeNull();
  expect(roomFor(200, 100, 200, true)).toBe(200);
});
