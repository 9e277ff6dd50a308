import { expect, test } from "bun:test";
import { loadCatalog, SHIPPED_MODELS } from "../catalog/load.ts";
import { resolve } from "../catalog/resolve.ts";
import { Needs } from "./needs.ts";

const starter = resolve(loadCatalog([SHIPPED_MODELS]), "tinyllama");
if (starter === undefined) throw new Error("there is one");

const MISSING = { state: "missing", size: 320_000_000, reason: "…" } as const;
const HERE = { state: "present", path: "/weights.gguf", size: 320_000_000 } as const;

test("what a model takes is known once its weights are here, and another context is told once", async () => {
  const needs = new Needs({
    ...{ threads: 1, sequences: 1, memoryBudget: 2e9, keepAliveMs: 0 },
    ...{ loadTimeoutMs: 1, maxQueue: 1, contextSize: 1_024 },
  });
  let told = 0;
  needs.onContext = () => {
    told++;
  };
  await needs.look(starter, MISSING);
  expect([needs.of(starter), told]).toEqual([null, 0]);
  for (let looks = 0; looks < 3; looks++) await needs.look(starter, HERE);
  expect(needs.of(starter)).toMatchObject({ contextSize: 1_024, tooBig: null });
  expect(told).toBe(1);
  // Other weights by the same name.
  await needs.look(starter, { ...HERE, size: 5e9 });
  expect(needs.of(starter)?.tooBig).toMatch(
    /^it needs 5\.\d GB of memory and the budget is 2\.0 GB/,
  );
  await needs.look(starter, MISSING);
  expect([needs.of(starter), told]).toEqual([null, 2]);
});
