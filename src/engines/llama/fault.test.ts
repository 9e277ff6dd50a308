import { expect, test } from "bun:test";
import { GatewayError } from "../../contract/errors.ts";
import { faultOf as meaningOf } from "../../gateway/routing/retry.ts";
import { verdictOn } from "../../gateway/routing/verdict.ts";
import { GuideError } from "../guided/guide-error.ts";
import { SpecError } from "../guided/spec-error.ts";
import { faultOf } from "./fault.ts";

const asTold = (error: unknown) => {
  const { kind, message, param } = faultOf(error);
  return new GatewayError(kind, message, { param });
};

test.each([
  ["a guide that has no way on", new GuideError("no way on")],
  ["a guide that can't be made", new SpecError("too complex")],
])("%s is the request's fault: not tried again, and no mark against the model", (_, error) => {
  const told = asTold(error);
  expect([told.status, told.message]).toEqual([400, error.message]);
  expect(meaningOf(told)).toBe("request");
  expect(verdictOn(told)).toBe("refused");
});

test("of a failure of our own only the log has the reason", () => {
  const told = asTold(new TypeError("secret is undefined"));
  expect([told.status, told.message]).toEqual([502, "The model's engine failed on this request."]);
  expect(verdictOn(told)).toBe("failed");
});
