import { expect, test } from "bun:test";
import { Spending, spansAt } from "./openrouter-key.ts";

const minute = (iso: string) => Date.parse(iso) / 60_000;

test("days, weeks from Monday and months begin at midnight UTC", () => {
  expect(spansAt(Date.parse("2026-11-20T09:10:47Z"))).toEqual({
    day: minute("2026-11-20T00:00:00Z"),
    week: minute("2026-11-16T00:00:00Z"),
    month: minute("2026-11-01T00:00:00Z"),
  });
  // A Sunday belongs to the week before it, also when that began in another month.
  expect(spansAt(Date.parse("2026-11-01T23:59:59Z"))).toEqual({
    day: minute("2026-11-01T00:00:00Z"),
    week: minute("2026-10-26T00:00:00Z"),
    month: minute("2026-11-01T00:00:00Z"),
  });
});

test("a sum is told again for ten seconds, and one that failed is not", async () => {
  let asked = 0;
  const spending = new Spending(async (keyId) => {
    asked += 1;
    if (asked === 3) throw new Error(`${keyId}: no database`);
    return { total: asked, day: 0, week: 0, month: 0 };
  });
  const at = async (now: number) => (await spending.of("admin", now)).total;
  expect([await at(0), await at(9_999), await at(10_000)]).toEqual([1, 1, 2]);
  await expect(at(20_000)).rejects.toThrow("no database");
  expect(await at(20_001)).toBe(4);
});
