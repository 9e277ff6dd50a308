import { expect, test } from "bun:test";
import type { Caller } from "../types.ts";
import { Admission } from "./admit.ts";

const caller: Caller = { keyId: "anonymous", role: "anonymous", key: null };
const limited = (requestsPerMinute: number, concurrency: number) =>
  new Admission(() => ({ requestsPerMinute, concurrency }));

test("past the limit the wait is told to the second, and then a place is free", () => {
  const admission = limited(2, 0);
  admission.admit(caller, 1_000, 0);
  admission.admit(caller, 20_000, 0);
  expect(() => admission.admit(caller, 30_500, 0)).toThrow(
    expect.objectContaining({ kind: "rate_limit_exceeded", status: 429, retryAfter: 30.5 }),
  );
  expect(admission.admit(caller, 61_000, 0).headers["x-ratelimit-remaining-requests"]).toBe("0");
});

test("a lease given back twice frees one place", () => {
  const admission = limited(0, 1);
  const lease = admission.admit(caller, 0, 0);
  expect(() => admission.admit(caller, 1, 0)).toThrow(
    expect.objectContaining({ kind: "concurrency_limit_exceeded" }),
  );
  lease.release();
  lease.release();
  admission.admit(caller, 2, 0);
  expect(() => admission.admit(caller, 3, 0)).toThrow();
});

test("headers say the limit, what is left of it, and when all of it is free again", () => {
  const wallNow = Date.parse("2026-01-01T00:00:00Z");
  const { headers } = limited(10, 0).admit(caller, 5_000, wallNow);
  expect(headers).toMatchObject({
    "x-ratelimit-limit-requests": "10",
    "x-ratelimit-remaining-requests": "9",
    "x-ratelimit-limit": "10",
    "x-ratelimit-remaining": "9",
    "x-ratelimit-reset-requests": "2026-01-01T00:01:00.000Z",
  });
});

test("once the server drains nothing is admitted", () => {
  const admission = limited(0, 0);
  admission.close();
  expect(() => admission.admit(caller, 0, 0)).toThrow(expect.objectContaining({ status: 503 }));
});
