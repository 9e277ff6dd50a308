import { expect, test } from "bun:test";
import { ANY_KEY } from "../../../test/any-key.ts";
import type { Key } from "../../types.ts";
import { UNLIMITED } from "./limits.ts";
import { isOnPlan, type Plan, type Plans, planOf, plansOf } from "./plans.ts";

const plan = (name: string, more: Partial<Plan> = {}): Plan => ({
  name,
  limits: UNLIMITED,
  models: [],
  modelsAsWritten: [],
  defaultMaxTokens: 4096,
  ...more,
});

const plans: Plans = {
  anonymous: plan("anonymous"),
  admin: plan("admin"),
  named: new Map([["team", plan("team")]]),
  usual: plan("usual"),
};

const KEY: Key = { ...ANY_KEY, prefix: "sk-covey-1", name: "one", owner: "somebody" };

test("a caller has the plan of its key, the usual one without, and a role's where there is no key", () => {
  const of = (key: Key | null, role: "anonymous" | "key" | "admin") =>
    planOf(plans, { keyId: "any", role, key }).name;
  expect([
    of(null, "anonymous"),
    of(null, "admin"),
    of(KEY, "key"),
    of({ ...KEY, plan: "team" }, "key"),
    of({ ...KEY, plan: "gone" }, "key"),
    of({ ...KEY, role: "admin" }, "admin"),
    of({ ...KEY, role: "admin", plan: "team" }, "admin"),
  ]).toEqual(["anonymous", "admin", "usual", "team", "gone", "admin", "team"]);
});

test("a key of a plan that the config does not have may use no model", () => {
  const key = { ...KEY, plan: "gone" };
  const gone = planOf(plans, { keyId: "key_1", role: "key", key });
  expect(isOnPlan(gone, { id: "any/model", aliases: [""] })).toBe(false);
});

test("a key's own budget takes the place of its plan's", () => {
  const budget = { period: "day", nanoUsd: 5 } as const;
  const caller = { keyId: "key_1", role: "key", key: { ...KEY, budget } } as const;
  expect(planOf(plans, caller).limits).toEqual({ ...UNLIMITED, budget });
});

test("patterns match ids and aliases whatever their case; no pattern is every model", () => {
  const model = { id: "Qwen/Qwen3-8B", aliases: ["qwen"] };
  const on = (...models: string[]) => {
    const settings = { ...UNLIMITED, models };
    const limits = {
      anonymous: UNLIMITED,
      admin: UNLIMITED,
      defaultPlan: "p",
      defaultMaxTokens: 1,
    };
    return isOnPlan(plansOf(limits, { p: settings }).usual, model);
  };
  expect([on(), on("Qwen/*"), on("*-8b"), on("qwen"), on("*")]).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  expect([on("meta/*"), on("qwen/qwen3"), on("*-8b-instruct")]).toEqual([false, false, false]);
});
