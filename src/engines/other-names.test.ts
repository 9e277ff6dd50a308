import { expect, test } from "bun:test";
import { CompletionRequest } from "../contract/completions.ts";
import { GatewayError } from "../contract/errors.ts";
import { inOurNames } from "./other-names.ts";
import { samplersOf } from "./sampling/requested.ts";

const asked = (fields: object) => CompletionRequest.parse({ model: "m", prompt: "", ...fields });

test("what other engines call a parameter is the same parameter", () => {
  const theirs = {
    nsigma: 1.5,
    n_predict: 7,
    repeat_penalty: 1.2,
    dry_penalty_last_n: 64,
    typ_p: 0.5,
    tfs_z: 0.9,
    min_temp: 0.5,
    max_temp: 1.5,
    temp_exponent: 2,
    ban_eos_token: true,
  };
  expect(inOurNames(asked(theirs))).toMatchObject({
    top_n_sigma: 1.5,
    max_tokens: 7,
    repetition_penalty: 1.2,
    dry_range: 64,
    typical_p: 0.5,
    tfs: 0.9,
    dynatemp_min: 0.5,
    dynatemp_max: 1.5,
    dynatemp_exponent: 2,
    ignore_eos: true,
  });
  expect(inOurNames(asked({ n_predict: -1 })).max_tokens).toBeUndefined();
  expect(inOurNames(asked({ top_k: 3 })).top_k).toBe(3);
});

test("a refusal calls parameters what the caller did", () => {
  const refusal = (fields: object): GatewayError => {
    try {
      samplersOf(inOurNames(asked(fields)), {});
    } catch (error) {
      if (error instanceof GatewayError) return error;
      throw error;
    }
    throw new Error("it was not refused");
  };
  expect(refusal({ min_temp: 0.1 }).param).toBe("min_temp");
  expect(refusal({ min_temp: 0.1 }).message).toBe(
    "'min_temp' is nothing without 'dynatemp_max', the highest temperature: where that is not sent, or 0, the dynamic temperature is off.",
  );
  expect(refusal({ min_temp: 2, max_temp: 1 }).message).toBe(
    "Invalid value for 'min_temp': 2 is more than 'max_temp', which is 1.",
  );
  expect(refusal({ dynatemp_min: 2, dynatemp_max: 1 }).param).toBe("dynatemp_min");
  expect(refusal({ typ_p: 2 }).message).toBe(
    "Invalid value for 'typ_p', another name of 'typical_p': expected a number between 0 and 1.",
  );
});

test.each([
  [{ typ_p: 2 }, "typ_p"],
  [{ repeat_penalty: "high" }, "repeat_penalty"],
  [{ nsigma: 1, top_n_sigma: 2 }, "nsigma"],
])("out of range, or another value than our own name has, is 400: %p", (fields, param) => {
  try {
    inOurNames(asked(fields));
  } catch (error) {
    if (error instanceof GatewayError) {
      expect([error.kind, error.param]).toEqual(["invalid_request", param]);
      return;
    }
    throw error;
  }
  throw new Error("it was not refused");
});
