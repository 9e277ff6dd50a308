import { expect, test } from "bun:test";
import { withoutKeys } from "./redact.ts";

test("keys are taken out of what an upstream says, its words stay", () => {
  expect(
    withoutKeys("Incorrect key sk-proj-abc_123456789 (Bearer eyJhbGciOi.x-y), see key: plain", []),
  ).toBe("Incorrect key [key] (Bearer [key]), see key: plain");
  expect(withoutKeys("no such model: hf-internal/tiny, task_force", [])).toBe(
    "no such model: hf-internal/tiny, task_force",
  );
});

test("a secret of any shape is taken out wherever it stands", () => {
  expect(withoutKeys("<a.b+c> and xa.b+cx", ["a.b+c"])).toBe("<[key]> and x[key]x");
  expect(withoutKeys("nothing", [""])).toBe("nothing");
  expect(withoutKeys("?key%3Dsk-covey-abcdefgh-12345", [])).toBe("?key%3D[key]");
});
