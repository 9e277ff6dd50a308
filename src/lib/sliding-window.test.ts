import { expect, test } from "bun:test";
import { SlidingWindow } from "./sliding-window.ts";

test("no span of the window ever holds more than the limit", () => {
  const window = new SlidingWindow(7, 1000);
  const granted: number[] = [];
  let random = 12345;
  let now = 0;
  for (let i = 0; i < 5000; i++) {
    random = (random * 1103515245 + 12345) % 2147483648;
    now += random % 90;
    if (window.take(now) === 0) granted.push(now);
  }
  expect(granted.length).toBeGreaterThan(1000);
  for (let i = 7; i < granted.length; i++) {
    expect((granted[i] ?? 0) - (granted[i - 7] ?? 0)).toBeGreaterThanOrEqual(1000);
  }
});

test("a refusal says exactly when the next grant is free", () => {
  const window = new SlidingWindow(2, 60_000);
  expect(window.take(1_000)).toBe(0);
  expect(window.take(11_000)).toBe(0);
  expect(window.take(21_000)).toBe(40_000);
  expect(window.remaining(21_000)).toBe(0);
  expect(window.resetIn(21_000)).toBe(50_000);
  expect(window.take(60_999)).toBe(1);
  expect(window.take(61_000)).toBe(0);
});
