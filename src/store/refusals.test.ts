import { describe, expect, test } from "bun:test";
import { refusalOf } from "../../test/store/calls-fixture.ts";
import { Refusals } from "./refusals.ts";

describe("refusals", () => {
  test("the first of a window stand alone and the rest is counted by kind", () => {
    const refusals = new Refusals(2);
    const alone = [0, 1, 2, 3].map((n) => refusals.admit(refusalOf(`${n}`, { at: n }), true));
    refusals.admit(refusalOf("x", { at: 9, httpStatus: 401, error: "invalid_api_key" }), true);
    expect(alone).toEqual([true, true, false, false]);
    expect(refusals.drain()).toEqual([
      {
        at: 2,
        endpoint: "/v1/chat/completions",
        keyId: "anonymous",
        httpStatus: 404,
        error: "model_not_found",
        count: 2,
      },
      {
        at: 9,
        endpoint: "/v1/chat/completions",
        keyId: "anonymous",
        httpStatus: 401,
        error: "invalid_api_key",
        count: 1,
      },
    ]);
    expect(refusals.drain()).toEqual([]);
    expect(refusals.admit(refusalOf("y"), true)).toBe(true);
  });

  test("paths that are none of ours are one kind, whatever strangers type", () => {
    const refusals = new Refusals(0);
    for (let n = 0; n < 1000; n++) {
      refusals.admit(refusalOf(`${n}`, { endpoint: `/x${n}`, known: false }), true);
    }
    expect(refusals.drain()).toMatchObject([{ endpoint: "(unknown)", count: 1000 }]);
  });

  test("without room none stands alone", () => {
    const refusals = new Refusals(20);
    expect(refusals.admit(refusalOf("a"), false)).toBe(false);
    expect(refusals.drain()).toMatchObject([{ count: 1 }]);
  });

  test("a hundred thousand kinds take bounded memory and every call is still counted", () => {
    const refusals = new Refusals(0);
    for (let n = 0; n < 100_000; n++) {
      refusals.admit(refusalOf(`${n}`, { endpoint: `/${n}`, keyId: `k${n}` }), true);
    }
    const groups = refusals.drain();
    expect(groups.length).toBeLessThanOrEqual(501);
    expect(groups.reduce((sum, group) => sum + group.count, 0)).toBe(100_000);
  });
});
