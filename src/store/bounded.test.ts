import { expect, test } from "bun:test";
import { bounded } from "./bounded.ts";

test("a stranger's text keeps its beginning and loses what a database cannot hold", () => {
  expect(bounded("größe 🐦")).toBe("größe 🐦");
  expect(bounded("x".repeat(1_000_000))).toBe("x".repeat(256));
  expect(bounded("a\0b\ud800")).toBe("a\ufffdb\ufffd");
  expect(bounded(`${"x".repeat(255)}🐦`)).toBe(`${"x".repeat(255)}\ufffd`);
});
