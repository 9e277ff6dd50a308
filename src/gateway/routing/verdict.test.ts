import { expect, test } from "bun:test";
import { type Fault, GatewayError } from "../../contract/errors.ts";
import { verdictOn } from "./verdict.ts";

const failed = (fault: Fault, retryAfter?: number) =>
  new GatewayError("upstream_error", "…", {
    fault,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });

test("a whole answer is the target's success", () => {
  expect(verdictOn(null)).toBe("answered");
});

test.each([
  ["request", "refused"],
  ["context", "refused"],
  ["unsupported", "nothing"],
  ["key", "nothing"],
  ["failed", "nothing"],
  ["broken", "failed"],
  ["silent", "failed"],
  ["busy", "failed"],
] as const)("a fault of the kind '%s' says '%s' of the target", (fault, verdict) => {
  expect(verdictOn(failed(fault))).toBe(verdict);
});

test("an engine of our own is never left alone for a failure: its host knows when it is back", () => {
  for (const fault of ["broken", "silent", "busy", "failed"] as const)
    expect(verdictOn(failed(fault, 1), true)).toBe("nothing");
  expect(verdictOn(null, true)).toBe("answered");
});

test("a target that says when to come back is left alone until then", () => {
  expect(verdictOn(failed("busy", 2.5))).toEqual({ restMs: 2500 });
});

test("our own queue's being full, and our own faults, say nothing of a target", () => {
  expect(verdictOn(new GatewayError("overloaded", "full", { retryAfter: 5 }))).toBe("nothing");
  expect(verdictOn(new TypeError("a mistake"))).toBe("nothing");
});
