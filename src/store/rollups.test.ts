import { expect, test } from "bun:test";
import { cutFor } from "./rollups.ts";

test("a query reads the smallest cut that knows what it asks for", () => {
  expect(cutFor([])).toBe("models");
  expect(cutFor(["model", "status", "error"])).toBe("models");
  expect(cutFor(["key_id"])).toBe("keys");
  expect(cutFor(["key_id", "status"])).toBe("keys");
  expect(cutFor(["key_id", "model"])).toBe("each");
});
