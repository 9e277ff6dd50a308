import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineInstalled } from "./engine-installed.ts";

test("the engine is found where a module would find it, and nowhere else", () => {
  expect(engineInstalled()).toBe(true);
  const elsewhere = mkdtempSync(join(tmpdir(), "covey-engine-"));
  try {
    expect(engineInstalled(join(elsewhere, "module.ts"))).toBe(false);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});
