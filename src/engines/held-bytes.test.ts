import { expect, test } from "bun:test";
import { holdBytes } from "./held-bytes.ts";

test("files that wait for a model are bounded by their bytes together; one may always come", () => {
  const model = {};
  const first = holdBytes(model, 150, 100);
  expect(() => holdBytes(model, 1, 100)).toThrow("Try again later");
  holdBytes({}, 60, 100);
  first();
  first();
  const second = holdBytes(model, 60, 100);
  holdBytes(model, 40, 100);
  expect(() => holdBytes(model, 1, 100)).toThrow(expect.objectContaining({ kind: "overloaded" }));
  second();
  expect(() => holdBytes(model, 60, 100)).not.toThrow();
});
