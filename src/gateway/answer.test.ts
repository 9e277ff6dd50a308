import { expect, test } from "bun:test";
import { droppedHeader } from "./answer.ts";

test("dropped parameters are named, and odd names are only counted", () => {
  expect(droppedHeader(["top_a", "x.y-z"])).toBe("top_a, x.y-z");
  expect(droppedHeader(["a\r\nset-cookie: x", "ключ", "ok", ""])).toBe("ok, (3 more)");
});

test("the header stays short whatever is sent", () => {
  const names = Array.from({ length: 5000 }, (_, n) => `field_${n}`);
  expect(droppedHeader(names)).toEndWith("field_31, (4968 more)");
});
