import { expect, test } from "bun:test";
import {
  keysOfLostPlans,
  lostPlansCounted,
  lostPlansNamed,
  type PlannedKey,
} from "./lost-plans.ts";

const OPENS = { expiresAt: null, disabledAt: null, revokedAt: null };
const key = (id: string, plan: string | null, dates: Partial<PlannedKey> = {}): PlannedKey => ({
  ...{ id, name: `name of ${id}`, plan, ...OPENS },
  ...dates,
});

test("keys that open and whose plan is not there are lost; others are not", () => {
  const keys = [
    key("none", null),
    key("there", "team"),
    key("lost", "gold"),
    key("later", "gold", { expiresAt: 101 }),
    key("expired", "gold", { expiresAt: 100 }),
    key("disabled", "gold", { disabledAt: 1 }),
    key("revoked", "gold", { revokedAt: 1 }),
  ];
  const lost = keysOfLostPlans(new Set(["team"]), keys, 100);
  expect(lost.map(({ id }) => id)).toEqual(["lost", "later"]);
});

test("an operator is told which keys they are, others only how many and of which plans", () => {
  const [first, second] = [key("a", "gold"), key("b", "silver")];
  expect(lostPlansNamed([first])).toStartWith(
    '1 key is refused, as the config does not have its plan gold: "name of a" (a, gold)',
  );
  expect(lostPlansCounted([first, second])).toBe(
    "2 keys are refused, as the config does not have their plans gold, silver",
  );
  expect([lostPlansNamed([]), lostPlansCounted([])]).toEqual([null, null]);
});

test("of many keys some are named and the rest is counted", () => {
  const many = Array.from({ length: 1000 }, (_, at) => key(`k${at}`, `p${at}`));
  expect(lostPlansNamed(many)).toContain("and 995 more");
  expect(lostPlansNamed(many)?.length).toBeLessThan(500);
});
