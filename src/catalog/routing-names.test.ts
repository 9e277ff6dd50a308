import { expect, test } from "bun:test";
import { routingWarnings } from "./routing-names.ts";

const NAMES = {
  resolve: (name: string) => (name === "Qwen/Qwen3-32B" ? {} : undefined),
  nearest: (name: string) => (name.startsWith("Qwen/") ? ["Qwen/Qwen3-32B"] : []),
};
const place = (at: readonly string[]) => `covey.toml:${at.length}: `;

test("names that models have are fine", () => {
  const rules = { "Qwen/Qwen3-32B": { contextFallback: "Qwen/Qwen3-32B" } };
  expect(routingWarnings(rules, NAMES, [], place)).toEqual([]);
});

test("a name that no model has is told, with its place and what was meant", () => {
  const rules = { "Qwen/Qwen3-23B": { contextFallback: "some/large-model" } };
  expect(routingWarnings(rules, NAMES, [], place)).toEqual([
    'covey.toml:3: routing.models: no model has the name "Qwen/Qwen3-23B"; did you mean "Qwen/Qwen3-32B"?',
    'covey.toml:4: context_fallback: no model has the name "some/large-model"',
  ]);
});

test("a list that is not there is named, since it might have the model", () => {
  const lists = [
    { provider: "gpu", models: 0, trouble: "nothing listens there", missingKey: null },
    { provider: "hosted", models: 7, trouble: null, missingKey: null },
  ];
  expect(routingWarnings({ "some/model": {} }, NAMES, lists, place)).toEqual([
    'covey.toml:3: routing.models: no model has the name "some/model" (not known: what gpu would list)',
  ]);
});
