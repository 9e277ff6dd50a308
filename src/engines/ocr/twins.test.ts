import { expect, test } from "bun:test";
import { untwinned } from "./twins.ts";

test("an o among digits is a zero, and one among letters stays", () => {
  expect(untwinned("Around 10,ooo BC and 1oo%, 3o.oO EUR")).toBe(
    "Around 10,000 BC and 100%, 30.00 EUR",
  );
  expect(untwinned("2oz of Oo, No 5, o2, 4ever, 1on1")).toBe("2oz of Oo, No 5, o2, 4ever, 1on1");
});

test("full-width punctuation becomes plain in Latin lines, and stays in Chinese ones", () => {
  expect(untwinned("plants， such （as） cattails！")).toBe("plants, such (as) cattails!");
  expect(untwinned("你好，世界！")).toBe("你好，世界！");
});
