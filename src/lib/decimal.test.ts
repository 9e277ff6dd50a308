import { expect, test } from "bun:test";
import { decimal } from "./decimal.ts";

test("a price is a plain decimal without an exponent", () => {
  expect([0, 1, 10, 0.5, 6e-7, 1.25e-6, 1e-9].map(decimal)).toEqual([
    "0",
    "1",
    "10",
    "0.5",
    "0.0000006",
    "0.00000125",
    "0.000000001",
  ]);
});
