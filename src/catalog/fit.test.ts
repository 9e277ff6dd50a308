import { expect, test } from "bun:test";
import path from "node:path";
import { contextBytes, fit } from "./fit.ts";
import { parseModelFile } from "./load.ts";

const model = (more: string) =>
  parseModelFile(
    `id = "a"\nname = "n"\ncreated = 0\nowned_by = "o"\ncontext_length = 8192\nlicense = "MIT"\n${more}\n[weights]\nfile = "x"`,
    path.resolve("a.toml"),
  ).file;

test("weights, context and the engine's own must fit together", () => {
  expect(fit(1e9, 1e8, 1.3e9)).toEqual({ fits: true, needed: 1.3e9, budget: 1.3e9 });
  expect(fit(1e9, 1e8, 1.3e9 - 1).fits).toBe(false);
});

test("the context counts as configured, or as the least worth having", () => {
  const file = model("kv_bytes_per_token = 1000");
  expect(contextBytes(file, 0)).toBe(4_096_000);
  expect(contextBytes(file, 100)).toBe(100_000);
  expect(contextBytes(file, 1_000_000)).toBe(8_192_000);
  expect(contextBytes(model(""), 1)).toBe(131_072);
});
