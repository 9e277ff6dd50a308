import { z } from "zod";

const DURATION: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Timers in JavaScript wrap past this many milliseconds (24.8 days). */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A thousand years. */
const LONGEST_AGE = 365_250 * 86_400_000;

function scaled(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim());
  const unit = match?.[2] === undefined ? undefined : units[match[2].toLowerCase()];
  return match?.[1] === undefined || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** `"5s"`, `"500ms"`, `"10m"`, `"1h"`, or a number of seconds, to whole milliseconds. */
export function parseDuration(value: string | number): number | undefined {
  const milliseconds = typeof value === "number" ? value * 1_000 : scaled(value, DURATION);
  if (milliseconds === undefined || !(milliseconds >= 0 && milliseconds <= LONGEST_TIMER))
    return undefined;
  return Math.round(milliseconds);
}

/** How long something is kept: `"30d"`, `"12h"`, or a number of seconds, to whole milliseconds; 0 is for ever. */
export function parseAge(value: string | number): number | undefined {
  const milliseconds = typeof value === "number" ? value * 1_000 : scaled(value, DURATION);
  return milliseconds !== undefined && milliseconds >= 0 && milliseconds <= LONGEST_AGE
    ? Math.round(milliseconds)
    : undefined;
}

/** `"512MB"` (powers of 1000), `"4GiB"` (powers of 1024), or a number of bytes, to whole bytes. */
export function parseSize(value: string | number): number | undefined {
  const bytes = typeof value === "number" ? value : scaled(value, SIZE);
  return bytes === undefined || !(bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER)
    ? undefined
    : Math.round(bytes);
}

/** A time span; milliseconds once parsed. */
export const duration = z
  .union([z.string(), z.number()], "expected text or a number")
  .transform((value, context) => {
    const milliseconds = parseDuration(value);
    if (milliseconds !== undefined) return milliseconds;
    context.addIssue({
      code: "custom",
      message: `expected a duration such as "500ms", "5s", "10m", "1h" or a number of seconds (at most 24 days), got ${JSON.stringify(value)}`,
    });
    return z.NEVER;
  });

/** How long something is kept; milliseconds once parsed, 0 for ever. No timer is set to it. */
export const age = z
  .union([z.string(), z.number()], "expected text or a number")
  .transform((value, context) => {
    const milliseconds = parseAge(value);
    if (milliseconds !== undefined) return milliseconds;
    context.addIssue({
      code: "custom",
      message: `expected a time such as "30d", "12h" or 0 for ever, got ${JSON.stringify(value)}`,
    });
    return z.NEVER;
  });

/** An amount of memory or data; bytes once parsed. */
export const size = z
  .union([z.string(), z.number()], "expected text or a number")
  .transform((value, context) => {
    const bytes = parseSize(value);
    if (bytes !== undefined) return bytes;
    context.addIssue({
      code: "custom",
      message: `expected a size such as "512MB", "4GiB" or a number of bytes, got ${JSON.stringify(value)}`,
    });
    return z.NEVER;
  });

/** A size, or a share of the machine's memory such as `"60%"`. */
export const memory = z
  .union([z.string(), z.number()], "expected text or a number")
  .transform((value, context) => {
    const share = typeof value === "string" ? /^(\d+(?:\.\d+)?)\s*%$/.exec(value.trim()) : null;
    const percent = Number(share?.[1]);
    if (share !== null && percent > 0 && percent <= 100) return { percent };
    const bytes = share === null ? parseSize(value) : undefined;
    if (bytes !== undefined && bytes > 0) return { bytes };
    context.addIssue({
      code: "custom",
      message: `expected a size such as "4GB" or a share of the memory such as "60%", got ${JSON.stringify(value)}`,
    });
    return z.NEVER;
  });
