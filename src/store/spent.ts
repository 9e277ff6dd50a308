import { z } from "zod";

const NANO = 1e9;
const MINUTE_MS = 60_000;
const Nano = z.coerce.number();
const Sums = z.array(z.object({ total: Nano, day: Nano, week: Nano, month: Nano }));

/** What one key's calls cost, in US dollars: in all, and since the beginning of three spans. */
export interface Spent {
  readonly total: number;
  readonly day: number;
  readonly week: number;
  readonly month: number;
}

/** The spans' beginnings, in Unix milliseconds / 60000; each the beginning of a day (UTC). */
export interface SpentSince {
  readonly day: number;
  readonly week: number;
  readonly month: number;
}

/**
 * One pass over a key's days; calls without a known price count as nothing. SQLite binds `$n` in the order of
 * their appearance, so that is the order of their numbers.
 */
export const SPENT = `SELECT COALESCE(SUM(cost_nano_usd), 0) AS total,
  COALESCE(SUM(CASE WHEN at >= $1 THEN cost_nano_usd ELSE 0 END), 0) AS day,
  COALESCE(SUM(CASE WHEN at >= $2 THEN cost_nano_usd ELSE 0 END), 0) AS week,
  COALESCE(SUM(CASE WHEN at >= $3 THEN cost_nano_usd ELSE 0 END), 0) AS month
  FROM days WHERE cut = 'key' AND key_id = $4`;

/** The parameters of `SPENT`. */
export function spentValues(keyId: string, { day, week, month }: SpentSince): (string | number)[] {
  return [day * MINUTE_MS, week * MINUTE_MS, month * MINUTE_MS, keyId];
}

export function spentFrom(rows: unknown): Spent {
  const [sums] = Sums.parse(rows);
  const { total = 0, day = 0, week = 0, month = 0 } = sums ?? {};
  return { total: total / NANO, day: day / NANO, week: week / NANO, month: month / NANO };
}
