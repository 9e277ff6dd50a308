import { expect, test } from "bun:test";
import { UNLIMITED } from "../limits.ts";
import { modeAt, type Situation, shareOf } from "./mode.ts";

const MINUTE = 60_000;
const at = (more: Partial<Situation> = {}): Situation => ({
  connected: false,
  heardAt: 0,
  closedUntil: 0,
  member: true,
  windowMs: MINUTE,
  quietMs: 3000,
  shareForMs: 60 * MINUTE,
  ...more,
});

test("connected it shares, but not in the first window of a Redis that lost its data", () => {
  expect(modeAt(1000, at({ connected: true })).mode).toBe("shared");
  expect(modeAt(1000, at({ connected: true, closedUntil: 31_000 }))).toEqual({
    mode: "waiting",
    waitMs: 30_000,
  });
});

test("cut off it has its share after a window and the time that others take to know, until they forget it", () => {
  expect(modeAt(6000, at())).toEqual({ mode: "waiting", waitMs: MINUTE });
  expect(modeAt(65_999, at())).toEqual({ mode: "waiting", waitMs: 1 });
  expect(modeAt(66_000, at()).mode).toBe("share");
  expect(modeAt(60 * MINUTE - 3001, at()).mode).toBe("share");
  expect(modeAt(60 * MINUTE - 3000, at())).toEqual({ mode: "waiting", waitMs: Infinity });
});

test("who was never heard of, or came when all shares were given, has none", () => {
  expect(modeAt(66_000, at({ member: false })).mode).toBe("waiting");
  expect(modeAt(1e12, at({ heardAt: Number.NEGATIVE_INFINITY })).mode).toBe("waiting");
});

test("all shares together are never more than the limit, and no limit has none", () => {
  const limits = { ...UNLIMITED, requestsPerMinute: 10, concurrency: 7 };
  expect(shareOf(limits, 3)).toEqual({ ...limits, requestsPerMinute: 3, concurrency: 2 });
  expect(shareOf(limits, 8)).toBeNull();
});
