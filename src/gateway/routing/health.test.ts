import { expect, test } from "bun:test";
import { Health, type Measured } from "./health.ts";

const rules = { failures: 2, cooldownMs: 1000 };
const streamed = (firstTokenMs: number, writingMs: number, completionTokens: number): Measured => ({
  firstTokenMs,
  writingMs,
  completionTokens,
});
const NOTHING: Measured = { firstTokenMs: null, writingMs: 0, completionTokens: 0 };

test("a target that was never asked is well and unmeasured", () => {
  const health = new Health(rules).of("a", 0);
  expect(health).toMatchObject({ breaker: "closed", firstTokenMs: null, running: 0 });
});

test("calls that run are counted, however they end", () => {
  const health = new Health(rules);
  const verdicts = ["answered", "refused", "failed", "nothing", { restMs: 1 }] as const;
  for (const _ of verdicts) health.asked("a", 0);
  expect(health.of("a", 0).running).toBe(5);
  for (const verdict of verdicts) health.ended("a", verdict, NOTHING, 0, false);
  expect(health.of("a", 0).running).toBe(0);
});

test("averages follow the newest measurement by three tenths", () => {
  const health = new Health(rules);
  health.asked("a", 0);
  health.ended("a", "answered", streamed(100, 1000, 50), 5, false);
  expect(health.of("a", 0)).toMatchObject({ firstTokenMs: 100, tokensPerSecond: 50 });
  health.asked("a", 0);
  health.ended("a", "answered", streamed(200, 1000, 100), 10, false);
  const { firstTokenMs, tokensPerSecond, measuredAt } = health.of("a", 0);
  expect([firstTokenMs, tokensPerSecond, measuredAt]).toEqual([130, 65, 10]);
});

test("an answer in one piece is measured as a whole, and a short one says nothing of speed", () => {
  const health = new Health(rules);
  health.asked("a", 0);
  health.ended(
    "a",
    "answered",
    { firstTokenMs: null, writingMs: 300, completionTokens: 3 },
    0,
    false,
  );
  expect(health.of("a", 0)).toMatchObject({
    firstTokenMs: null,
    answerMs: 300,
    tokensPerSecond: null,
  });
});

test("failures move no average and open the breaker; a refusal of the request closes it", () => {
  const health = new Health(rules);
  for (let n = 0; n < 2; n++) {
    health.asked("a", 0);
    health.ended("a", "failed", streamed(9999, 1, 100), 0, false);
  }
  expect(health.of("a", 0)).toMatchObject({ breaker: "open", opensAt: 1000, firstTokenMs: null });
  expect(health.of("a", 1000).breaker).toBe("half-open");
  expect(health.asked("a", 1000)).toBe(true);
  expect(health.of("a", 1000).breaker).toBe("open");
  health.ended("a", "refused", NOTHING, 1000, true);
  expect(health.of("a", 1000).breaker).toBe("closed");
});

test("a pause that was asked for is never shortened, not by an answer that was on its way either", () => {
  const health = new Health(rules);
  for (let n = 0; n < 3; n++) health.asked("a", 0);
  health.ended("a", { restMs: 500 }, NOTHING, 100, false);
  health.ended("a", { restMs: 50 }, NOTHING, 100, false);
  expect(health.of("a", 100).restsUntil).toBe(600);
  health.ended("a", "answered", NOTHING, 200, false);
  expect(health.of("a", 200).restsUntil).toBe(600);
});

test("each model's calls take turns of their own", () => {
  const health = new Health(rules);
  expect([health.turn("m"), health.turn("m"), health.turn("n"), health.turn("m")]).toEqual([
    0, 1, 0, 2,
  ]);
});
