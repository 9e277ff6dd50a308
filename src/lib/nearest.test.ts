import { expect, test } from "bun:test";
import { distance, nearest } from "./nearest.ts";

test("a swap of neighbouring letters is one edit", () => {
  expect(distance("prot", "port")).toBe(1);
  expect(distance("serve", "serve")).toBe(0);
  expect(distance("", "abc")).toBe(3);
});

test("the closest name is suggested, whatever its case", () => {
  expect(nearest("prot", ["host", "port", "home"])).toBe("port");
  expect(nearest("QWEN", ["Qwen/Qwen2.5-1.5B-Instruct"])).toBe("Qwen/Qwen2.5-1.5B-Instruct");
});

test("nothing is suggested when nothing is close", () => {
  expect(nearest("zzzzzz", ["host", "port"])).toBeUndefined();
  expect(nearest("", ["host"])).toBeUndefined();
});
