import { expect, test } from "bun:test";
import type { Meter } from "../types.ts";
import { freshMeter } from "./call.ts";
import { CallMeter } from "./call-meter.ts";

const used = (
  promptTokens: number,
  completionTokens: number,
  more: Partial<Meter> = {},
): Meter => ({
  ...freshMeter(),
  promptTokens,
  completionTokens,
  source: "upstream",
  ...more,
});
const sums = ({ promptTokens, completionTokens, cachedTokens }: CallMeter) => [
  promptTokens,
  completionTokens,
  cachedTokens,
];

test("one attempt's use is the call's, as it goes on", () => {
  const meter = new CallMeter();
  expect(sums(meter)).toEqual([0, 0, 0]);
  const first = used(10, 0, { cachedTokens: 4 });
  meter.begin(first);
  first.completionTokens = 7;
  expect(sums(meter)).toEqual([10, 7, 4]);
});

test("a failed attempt is forgotten with the next", () => {
  const meter = new CallMeter();
  meter.begin(used(10, 5));
  meter.begin(used(11, 2));
  expect(sums(meter)).toEqual([11, 2, 0]);
});

test("an answer made anew has its own count, once that has passed what was sent", () => {
  const meter = new CallMeter();
  meter.begin(used(10, 6));
  const again = used(10, 2, { source: "estimated" });
  meter.restart(again, 6);
  expect(sums(meter)).toEqual([10, 6, 0]);
  again.completionTokens = 9;
  expect(sums(meter)).toEqual([10, 9, 0]);
  again.completionTokens = 5;
  again.source = "upstream";
  expect(sums(meter)).toEqual([10, 5, 0]);
});

test("what a continuation was given of the answer counts as answer, not as prompt", () => {
  const meter = new CallMeter();
  meter.begin(used(10, 6));
  meter.resume(used(16, 4, { cachedTokens: 16 }), 6);
  expect(sums(meter)).toEqual([10, 10, 10]);
});

test("over several continuations and a restart each token counts once", () => {
  const meter = new CallMeter();
  meter.begin(used(10, 3));
  meter.resume(used(13, 4), meter.completionTokens);
  expect(sums(meter)).toEqual([10, 7, 0]);
  meter.resume(used(17, 2), meter.completionTokens);
  expect(sums(meter)).toEqual([10, 9, 0]);
  meter.restart(used(10, 1, { source: "counted" }), meter.completionTokens);
  expect(sums(meter)).toEqual([10, 9, 0]);
  meter.restart(used(10, 12), meter.completionTokens);
  expect(sums(meter)).toEqual([10, 12, 0]);
  meter.resume(used(22, 5), meter.completionTokens);
  expect(sums(meter)).toEqual([10, 17, 0]);
});

test("a continuation whose prompt nobody counted yet has no prompt below nothing", () => {
  const meter = new CallMeter();
  meter.begin(used(10, 6));
  meter.resume(used(0, 0, { source: "none" }), 6);
  expect(sums(meter)).toEqual([0, 6, 0]);
});

test("times are those of the first that gave something", () => {
  const meter = new CallMeter();
  meter.begin(used(1, 1, { startedAt: 5, firstTokenAt: 8 }));
  meter.resume(used(1, 1, { startedAt: 50, firstTokenAt: 80 }), 1);
  expect([meter.startedAt, meter.firstTokenAt]).toEqual([5, 8]);
});

test("the times of an attempt that gave nothing are not kept", () => {
  const meter = new CallMeter();
  meter.begin(used(1, 0, { startedAt: 5 }));
  meter.begin(used(1, 1, { startedAt: 50, firstTokenAt: 80 }));
  expect([meter.startedAt, meter.firstTokenAt]).toEqual([50, 80]);
});
