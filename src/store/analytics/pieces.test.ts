import { expect, test } from "bun:test";
import { Seeded } from "../../../test/seeded.ts";
import { SPANS } from "../rollups.ts";
import { type Kept, piecesOf } from "./pieces.ts";

const DAY = SPANS.days;
const HOUR = SPANS.hours;
const MINUTE = SPANS.minutes;
const NOW = Date.UTC(2026, 10, 20, 12, 34, 56, 789);
const KEPT: Kept = { minutesMs: 2 * DAY, hoursMs: 90 * DAY };
const at = (text: string) => Date.parse(`2026-11-${text}Z`);

test("a time is whole days, with hours and minutes at its edges", () => {
  expect(piecesOf(at("18T22:58:30"), at("20T01:02:00"), NOW, KEPT)).toEqual([
    { span: "minutes", from: at("18T22:58:00"), to: at("18T23:00:00") },
    { span: "hours", from: at("18T23:00:00"), to: at("19T00:00:00") },
    { span: "days", from: at("19T00:00:00"), to: at("20T00:00:00") },
    { span: "hours", from: at("20T00:00:00"), to: at("20T01:00:00") },
    { span: "minutes", from: at("20T01:00:00"), to: at("20T01:02:00") },
  ]);
});

test("an edge that is too old for minutes or hours is moved outwards", () => {
  expect(piecesOf(at("10T10:20:00"), at("10T10:40:00"), NOW, KEPT)).toEqual([
    { span: "hours", from: at("10T10:00:00"), to: at("10T11:00:00") },
  ]);
  const longAgo = Date.UTC(2026, 1, 3, 4, 5);
  expect(piecesOf(longAgo, longAgo + HOUR, NOW, KEPT)).toEqual([
    { span: "days", from: Date.UTC(2026, 1, 3), to: Date.UTC(2026, 1, 4) },
  ]);
  expect(piecesOf(longAgo, longAgo + MINUTE, NOW, { minutesMs: 0, hoursMs: 0 })).toEqual([
    { span: "minutes", from: longAgo, to: longAgo + MINUTE },
  ]);
});

test("whatever the time, its pieces cover it without a gap and never twice", () => {
  const random = new Seeded(4);
  for (let i = 0; i < 5000; i++) {
    const from = NOW - random.below(120 * DAY);
    const to = from + 1 + random.below(random.chance(0.5) ? 3 * HOUR : 40 * DAY);
    const pieces = piecesOf(from, to, NOW, KEPT);
    const first = pieces[0]?.from ?? Number.NaN;
    const last = pieces.at(-1)?.to ?? Number.NaN;
    expect(first <= from && last >= to).toBe(true);
    expect(first > from - DAY && last < to + DAY).toBe(true);
    for (const [n, { span, from: start, to: end }] of pieces.entries()) {
      expect(start % SPANS[span] === 0 && end % SPANS[span] === 0 && start < end).toBe(true);
      if (n > 0) expect(pieces[n - 1]?.to).toBe(start);
    }
    expect(pieces.length).toBeLessThanOrEqual(5);
  }
});
