import { expect, test } from "bun:test";
import type { Model, Target } from "../types.ts";
import { loadAliases } from "./aliases.ts";
import { type ListedModel, readListed } from "./listed.ts";
import { loadCatalog, SHIPPED_MODELS } from "./load.ts";
import { CurrentModels } from "./model-index.ts";
import { loadProviderFiles, SHIPPED_PROVIDERS } from "./providers.ts";
import { settleProviders } from "./settle-providers.ts";

const CHOICE = { models: [], priority: 0, weight: 1, prices: {} };
const providers = settleProviders(
  { featherless: CHOICE },
  loadProviderFiles([SHIPPED_PROVIDERS]),
  () => "key",
);
const own = loadCatalog([SHIPPED_MODELS]).models;
const aliases = loadAliases("/there-is-no-such-home");
const list = (...ids: string[]): ListedModel[] => ids.flatMap((id) => readListed(id) ?? []);

function current(
  listed: () => readonly ListedModel[],
  prepare?: (model: Model, targets: readonly Target[]) => void,
): CurrentModels {
  return new CurrentModels(
    () => ({
      own,
      localFacts: () => ({}),
      aliases,
      providers: providers.map((provider) => ({ provider, listed: listed() })),
    }),
    prepare,
  );
}

test("before any list is there, the catalog's own models are offered", () => {
  const index = current(() => list("a/one"));
  expect(index.models()).toEqual(own);
  expect(index.resolve(" TinyLlama ")?.id).toBe("TinyLlama/TinyLlama-1.1B-Chat-v1.0");
});

test("a new list is taken over whole: until then the old one answers", async () => {
  let listed = list("a/one");
  const index = current(() => listed);
  await index.rebuild();
  listed = list(...Array.from({ length: 20_000 }, (_, id) => `b/model-${id}`));
  const rebuilt = index.rebuild();
  const sizes = new Set<number>();
  let isDone = false;
  void rebuilt.then(() => {
    isDone = true;
  });
  while (!isDone) {
    sizes.add(index.models().length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  sizes.add(index.models().length);
  expect([...sizes]).toEqual([own.length + 1, own.length + 20_000]);
  expect(index.resolve("a/one")).toBeUndefined();
  expect(index.resolve("B/Model-7")?.id).toBe("b/model-7");
});

test("a list that changes during a merge is merged too", async () => {
  let listed = list("a/one");
  const index = current(() => listed);
  const first = index.rebuild();
  listed = list("a/two");
  await Promise.all([first, index.rebuild()]);
  expect(index.resolve("a/two")?.id).toBe("a/two");
  expect(index.resolve("a/one")).toBeUndefined();
});

test("a model is prepared before it is offered", async () => {
  const prepared: string[] = [];
  const index = current(
    () => list("a/one"),
    (model) => {
      expect(index.resolve("a/one")).toBeUndefined();
      prepared.push(model.id);
    },
  );
  await index.rebuild();
  expect(prepared).toContain("a/one");
  expect(index.resolve("a/one")?.id).toBe("a/one");
});

test("a name that the alias table knows leads to its model, though nobody lists it so", async () => {
  const index = current(() => list("meta-llama/Llama-3.3-70B-Instruct"));
  await index.rebuild();
  expect(index.resolve("llama-3.3-70b-instruct")?.id).toBe("meta-llama/Llama-3.3-70B-Instruct");
});

test("the nearest name is one that leads to a model", async () => {
  const index = current(() => list("a/some-long-name"));
  await index.rebuild();
  expect(index.nearest("a/some-logn-name")).toEqual(["a/some-long-name"]);
});

test("a bare name, or another owner's, means the few models of that very name", async () => {
  const many = ["b", "c", "d", "e"].map((owner) => `${owner}/Llama-3-8B`);
  const index = current(() => list("Qwen/Qwen3-32B", "unsloth/Qwen3-32B-GGUF", ...many));
  await index.rebuild();
  for (const name of ["Qwen3-32B", "qwen3-32b", "somebody/QWEN3-32B"])
    expect(index.nearest(name)).toEqual(["Qwen/Qwen3-32B"]);
  expect(index.nearest("Llama-3-8B")).toHaveLength(1);
  expect(index.nearest("")).toEqual([]);
});

test("embedded models and those of the config are named, listed ones are not", async () => {
  const index = current(() => list("a/one"));
  await index.rebuild();
  const named = index.models().filter((model) => index.isNamed(model));
  expect(named.map(({ id }) => id)).toEqual(own.map(({ id }) => id));
});
