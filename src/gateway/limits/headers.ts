import type { Limits, Standing, Taken } from "./limits.ts";

/** `x-ratelimit-*` of the limits that there are. @param wall Unix milliseconds */
export function limitHeaders(
  limits: Limits,
  { requests, tokens }: Pick<Standing, "requests" | "tokens">,
  wall: number,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  if (limits.requestsPerMinute > 0) {
    const limit = String(limits.requestsPerMinute);
    const remaining = String(requests.left);
    headers["x-ratelimit-limit"] = limit;
    headers["x-ratelimit-remaining"] = remaining;
    headers["x-ratelimit-limit-requests"] = limit;
    headers["x-ratelimit-remaining-requests"] = remaining;
    headers["x-ratelimit-reset-requests"] = new Date(wall + requests.resetIn).toISOString();
  }
  if (limits.tokensPerMinute > 0) {
    headers["x-ratelimit-limit-tokens"] = String(limits.tokensPerMinute);
    headers["x-ratelimit-remaining-tokens"] = String(tokens.left);
    headers["x-ratelimit-reset-tokens"] = new Date(wall + tokens.resetIn).toISOString();
  }
  return headers;
}

/** @param limit 0 is none, of which nothing is left and nothing is asked for */
export function takenOf(limit: number, used: number, resetIn: number): Taken {
  return { used, left: Math.max(0, limit - used), resetIn };
}
