import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineInstalled, lacking } from "./engine-installed.ts";

test("the engine is found where a module would find it, and nowhere else", () => {
  expect(engineInstalled()).toBe(true);
  const elsewhere = mkdtempSync(join(tmpdir(), "covey-engine-"));
  try {
    expect(engineInstalled(join(elsewhere, "module.ts"))).toBe(false);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test("what a model lacks is said with the packages that it needs", () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "covey-engine-"));
  const from = join(elsewhere, "module.ts");
  try {
    expect(lacking(["onnxruntime-node", "@huggingface/tokenizers"])).toBeNull();
    expect(lacking(["node-llama-cpp"], from)).toBe("needs the embedded engine: npm install");
    expect(lacking(["sharp"], from)).toBe("needs the package sharp: npm install");
    expect(lacking(["onnxruntime-node", "@huggingface/tokenizers"], from)).toBe(
      "needs the packages onnxruntime-node and @huggingface/tokenizers: npm install",
    );
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});
