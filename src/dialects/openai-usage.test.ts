import { expect, test } from "bun:test";
import { readUsage } from "./openai-usage.ts";

const told = (fields: object) => readUsage({ prompt_tokens: 1, completion_tokens: 2, ...fields });

test.each<[string, object, number | null]>([
  ["OpenRouter and its like", { cost: 0.00012 }, 0.00012],
  ["an explicit zero", { cost: 0 }, 0],
  [
    "a key of the caller's own",
    { cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.02 } },
    0.021,
  ],
  [
    "details of a key that is not the caller's own",
    { cost: 0.001, cost_details: { upstream_inference_cost: 0.02 } },
    0.001,
  ],
  ["DeepInfra", { estimated_cost: 1e-6 }, 1e-6],
  ["Perplexity", { cost: { total_cost: 0.005, request_cost: 0.004 } }, 0.005],
  ["xAI", { cost_in_usd_ticks: 37_756_000 }, 0.0037756],
  ["a number as a text", { cost: "0.25" }, 0.25],
  ["nothing", {}, null],
  ["a negative cost", { cost: -1 }, null],
  ["more than any call costs", { cost: 1e9 }, null],
  ["what is no number", { cost: Number.NaN }, null],
])("the cost that %s tells", (_case, fields, cost) => {
  const read = told(fields)?.cost ?? null;
  if (cost === null) expect(read).toBeNull();
  else expect(read).toBeCloseTo(cost, 12);
});
