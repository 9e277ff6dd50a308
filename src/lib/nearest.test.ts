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

test("what contains the word is suggested when nothing is closer, the shortest first", () => {
  expect(nearest("mistral", ["x/mistral-small-long-name", "x/mistral-7b-instruct-v0.3"])).toBe(
    "x/mistral-small-long-name",
  );
  expect(nearest("mistral", ["mistrall", "x/mistral-7b-instruct-v0.3"])).toBe("mistrall");
});

test("the one with the fewest wrong letters is found, whatever comes before it", () => {
  const names = Array.from({ length: 500 }, (_, id) => `owner/model-${id}`);
  expect(nearest("owner/modle-321", names)).toBe("owner/model-321");
});

test("the distance above a limit is only known to be above it", () => {
  for (const [a, b] of [
    ["kitten", "sitting"],
    ["abcdef", "badcfe"],
    ["flaw", "lawn"],
  ] as const) {
    const exact = distance(a, b);
    for (let limit = 0; limit < 8; limit++) {
      const found = distance(a, b, limit);
      if (exact <= limit) expect(found).toBe(exact);
      else expect(found).toBeGreaterThan(limit);
    }
  }
});
