import type { Budget } from "../../types.ts";

/** The calendar day or month (UTC) that holds a moment. Unix milliseconds. */
export interface Period {
  readonly start: number;
  /** The first moment of the next one. */
  readonly end: number;
}

const DAY = 24 * 60 * 60_000;

export function periodOf(kind: Budget["period"], wall: number): Period {
  if (kind === "day") {
    const start = Math.floor(wall / DAY) * DAY;
    return { start, end: start + DAY };
  }
  const date = new Date(wall);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { start: Date.UTC(year, month, 1), end: Date.UTC(year, month + 1, 1) };
}
