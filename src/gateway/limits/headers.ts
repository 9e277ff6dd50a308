import type { Limits, Standing } from "./limits.ts";

type Taken = Pick<Standing, "requests" | "tokens">;

/** `x-ratelimit-*` of the limits that there are. @param wall Unix milliseconds */
export function limitHeaders(
  limits: Limits,
  { requests, tokens }: Taken,
  wall: number,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (limits.requestsPerMinute > 0) {
    const limit = String(limits.requestsPerMinute);
    const remaining = left(limits.requestsPerMinute, requests.used);
    headers["x-ratelimit-limit"] = limit;
    headers["x-ratelimit-remaining"] = remaining;
    headers["x-ratelimit-limit-requests"] = limit;
    headers["x-ratelimit-remaining-requests"] = remaining;
    headers["x-ratelimit-reset-requests"] = new Date(wall + requests.resetIn).toISOString();
  }
  if (limits.tokensPerMinute > 0) {
    headers["x-ratelimit-limit-tokens"] = String(limits.tokensPerMinute);
    headers["x-ratelimit-remaining-tokens"] = left(limits.tokensPerMinute, tokens.used);
    headers["x-ratelimit-reset-tokens"] = new Date(wall + tokens.resetIn).toISOString();
  }
  return headers;
}

function left(limit: number, used: number): string {
  return String(Math.max(0, limit - used));
}
