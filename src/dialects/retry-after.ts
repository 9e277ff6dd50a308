/** Longer than this nobody waits on a server's word, in seconds. */
const MOST_S = 3600;

/**
 * Seconds that a server asks to wait: `Retry-After` in seconds or as a date, `retry-after-ms`, or the
 * latest reset of its rate limits (`x-ratelimit-reset*`: seconds, a duration such as `1m30s`, Unix time
 * in seconds or milliseconds, or a date). Null when it says nothing that lies ahead.
 */
export function retryAfter(headers: Headers, nowMs: number): number | null {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (ms > 0) return bounded(ms / 1000);
  const told = seconds(headers.get("retry-after"), nowMs);
  if (told !== null) return bounded(told);
  let latest: number | null = null;
  for (const kind of ["requests", "tokens"]) {
    // A limit that is not used up has not caused this.
    const remaining = headers.get(`x-ratelimit-remaining-${kind}`);
    if (remaining !== null && Number(remaining) > 0) continue;
    const reset = seconds(headers.get(`x-ratelimit-reset-${kind}`), nowMs);
    if (reset !== null && (latest === null || reset > latest)) latest = reset;
  }
  latest ??= seconds(headers.get("x-ratelimit-reset"), nowMs);
  return latest === null ? null : bounded(latest);
}

function bounded(value: number): number {
  return Math.min(value, MOST_S);
}

const DURATION = /^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;

function seconds(value: string | null, nowMs: number): number | null {
  const text = value?.trim() ?? "";
  if (text === "") return null;
  let found: number;
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    // Too large for a duration: a moment, in milliseconds or seconds.
    if (number > 1e11) found = (number - nowMs) / 1000;
    else found = number > 1e9 ? number - nowMs / 1000 : number;
  } else {
    const parts = DURATION.exec(text);
    found =
      parts === null
        ? (Date.parse(text) - nowMs) / 1000
        : Number(parts[1] ?? 0) * 3600 +
          Number(parts[2] ?? 0) * 60 +
          Number(parts[3] ?? 0) +
          Number(parts[4] ?? 0) / 1000;
  }
  return found > 0 ? found : null;
}
