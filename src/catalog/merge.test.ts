import { expect, test } from "bun:test";
import { atOnce } from "../lib/slices.ts";
import type { Model } from "../types.ts";
import { createAliases, loadAliases } from "./aliases.ts";
import { readListed } from "./listed.ts";
import { parseModelFile } from "./load.ts";
import { type Merged, merge } from "./merge.ts";
import { loadProviderFiles, SHIPPED_PROVIDERS } from "./providers.ts";
import { type ChosenModel, type ProviderChoice, settleProviders } from "./settle-providers.ts";
import { FREE } from "./target.ts";

const FILES = loadProviderFiles([SHIPPED_PROVIDERS]);
const ALIASES = loadAliases("/there-is-no-such-home");
const NO_ALIASES = createAliases([]);

interface Lists {
  /** A provider's list: ids, or items as the provider has them. */
  readonly [provider: string]: readonly (string | object)[];
}

interface Given {
  readonly own?: readonly Model[];
  readonly lists?: Lists;
  readonly chosen?: { readonly [provider: string]: Partial<ProviderChoice> };
  readonly aliases?: typeof ALIASES;
  readonly before?: Merged;
}

const NAMED: ProviderChoice = {
  models: [],
  priority: 0,
  weight: 1,
  prices: {},
  baseUrl: "http://127.0.0.1:1/v1",
};

function merged({
  own = [],
  lists = {},
  chosen = {},
  aliases = NO_ALIASES,
  before,
}: Given): Merged {
  const ids = [...new Set([...Object.keys(chosen), ...Object.keys(lists)])];
  const choices = Object.fromEntries(ids.map((id) => [id, { ...NAMED, ...chosen[id] }]));
  const providers = settleProviders(choices, FILES, () => "key").map((provider) => ({
    provider,
    listed: (lists[provider.settings.id] ?? []).flatMap((item) => readListed(item) ?? []),
  }));
  return atOnce(merge({ own, localFacts: () => ({ price: FREE }), providers, aliases }, before));
}

/** `model: provider/upstream provider/upstream`, a line a model. */
function shown({ models, targets }: Merged): string[] {
  return models.map(
    ({ id }) => `${id}: ${(targets.get(id) ?? []).map((target) => target.id).join(" ")}`,
  );
}

const embedded = (id: string, more = ""): Model =>
  parseModelFile(
    `id = "${id}"\nname = "n"\ncontext_length = 2048\n${more}\n[weights]\nfile = "x.gguf"`,
    "/x.toml",
  );
const model = (id: string, more: Partial<ChosenModel> = {}): ChosenModel => ({
  id,
  aliases: [],
  ...more,
});

test("one's own servers cost nothing where no price is given; others' prices are unknown", () => {
  const prices = (chosen: Partial<ProviderChoice>, provider: string) =>
    merged({ lists: { [provider]: ["a/one"] }, chosen: { [provider]: chosen } })
      .targets.get("a/one")
      ?.map(({ price }) => price);
  for (const id of ["vllm", "sglang", "llamacpp", "ollama", "tabbyapi", "aphrodite", "covey"])
    expect(prices({}, id)).toEqual([FREE]);
  expect(prices({ price: { prompt: 2, completion: 4, request: 0 } }, "vllm")).toEqual([
    { ...FREE, prompt: 2e-6, completion: 4e-6, image: null },
  ]);
  for (const id of ["openai-compatible", "featherless"]) expect(prices({}, id)).toEqual([null]);
});

test("tools are among the parameters of an API that takes them, and a feature where somebody says so", () => {
  const of = (provider: string, item: object, chosen: Partial<ProviderChoice> = {}) => {
    const all = merged({ lists: { [provider]: [item] }, chosen: { [provider]: chosen } });
    const [only] = all.targets.get("a/one") ?? [];
    const takes = ["tools", "tool_choice", "response_format"];
    return [
      takes.filter((name) => only?.parameters?.includes(name)),
      only?.model.file.features ?? [],
    ];
  };
  const item = { id: "a/one" };
  expect(of("vllm", item)).toEqual([["tools", "tool_choice", "response_format"], []]);
  expect(of("ollama", item)).toEqual([["tools", "response_format"], []]);
  expect(of("vllm", item, { features: ["tool_use"] })[1]).toEqual(["tool_use"]);
  expect(of("vllm", { ...item, features: { tool_use: true } })[1]).toEqual(["tool_use"]);
  const named = { models: [model("a/one", { features: ["json_schema"] })], features: ["tool_use"] };
  expect(of("vllm", item, named)[1]).toEqual(["json_schema"]);
});

test("who says that a model looks at images says that it takes them", () => {
  const of = (choice: Partial<ProviderChoice>, item: object = {}): unknown[] => {
    const lists = { vllm: [{ id: "a/one", ...item }] };
    const { category, modalities, features } =
      merged({ lists, chosen: { vllm: choice } }).models[0]?.file ?? {};
    return [category, modalities?.input, features];
  };
  const eyes = ["multimodal", ["text", "image"], ["image_input"]];
  const features = ["image_input"];
  expect(of({ models: [model("a/one", { features })] })).toEqual(eyes);
  expect(of({ features })).toEqual(eyes);
  expect(of({}, { features: { image_input: true } })[1]).toEqual(["text", "image"]);
  expect(of({})[1]).toEqual(["text"]);
  // What makes vectors of text looks at nothing, whatever is said of all its neighbours.
  expect(of({ features }, { category: "embeddings" })[1]).toEqual(["text"]);
});

test("the same id at several providers and on an engine is one model", () => {
  const all = merged({
    own: [embedded("Qwen/Qwen3-8B")],
    lists: { featherless: ["qwen/qwen3-8b"], arli: ["Qwen/Qwen3-8B"] },
  });
  expect(shown(all)).toEqual([
    "Qwen/Qwen3-8B: local/Qwen/Qwen3-8B featherless/qwen/qwen3-8b arli/Qwen/Qwen3-8B",
  ]);
  expect(all.byName.get("qwen/qwen3-8b")?.id).toBe("Qwen/Qwen3-8B");
});

const SAME: [name: string, lists: Lists, id: string][] = [
  [
    "a service's lower-case spelling, separators and all",
    { openrouter: ["qwen/qwen-2.5-72b-instruct"], featherless: ["Qwen/Qwen2.5-72B-Instruct"] },
    "Qwen/Qwen2.5-72B-Instruct",
  ],
  [
    "the seed's lower-case id and the hub's",
    {
      featherless: ["NousResearch/Hermes-3-Llama-3.1-8B"],
      openrouter: ["nousresearch/hermes-3-llama-3.1-8b"],
    },
    "NousResearch/Hermes-3-Llama-3.1-8B",
  ],
  [
    "a name without an owner, where one owned model has it",
    { hybridinference: ["qwen-2.5-72b-instruct"], featherless: ["Qwen/Qwen2.5-72B-Instruct"] },
    "Qwen/Qwen2.5-72B-Instruct",
  ],
  [
    "HybridInference's short name by the table, whoever else has a model of that name",
    {
      hybridinference: ["llama-3.3-70b-instruct"],
      featherless: ["unsloth/Llama-3.3-70B-Instruct-x", "meta-llama/Llama-3.3-70B-Instruct"],
    },
    "meta-llama/Llama-3.3-70B-Instruct",
  ],
  [
    "the two names that the seeds give Magistral",
    {
      featherless: ["mistralai/Magistral-Small-2506-24B-Instruct"],
      openrouter: ["mistralai/magistral-small-2506"],
    },
    "mistralai/Magistral-Small-2506",
  ],
  [
    "an owner that a service spells in its own way",
    { openrouter: ["deepseek/deepseek-r1"], featherless: ["deepseek-ai/DeepSeek-R1"] },
    "deepseek-ai/DeepSeek-R1",
  ],
  [
    "a repository that a list names",
    {
      openrouter: [
        {
          id: "mistralai/mistral-nemo-it",
          hugging_face_id: "mistralai/Mistral-Nemo-Instruct-2407",
        },
      ],
      featherless: ["mistralai/Mistral-Nemo-Instruct-2407"],
    },
    "mistralai/Mistral-Nemo-Instruct-2407",
  ],
  [
    "a server's own name for what it has loaded",
    {
      vllm: [{ id: "assistant", root: "Qwen/Qwen2.5-7B-Instruct" }],
      featherless: ["Qwen/Qwen2.5-7B-Instruct"],
    },
    "Qwen/Qwen2.5-7B-Instruct",
  ],
];

for (const [name, lists, id] of SAME) {
  test(`one model: ${name}`, () => {
    const all = merged({ lists, aliases: ALIASES });
    const targets = all.targets.get(id) ?? [];
    expect(targets.map(({ provider }) => provider).toSorted()).toEqual(
      Object.keys(lists).toSorted(),
    );
    for (const target of targets)
      expect(all.byName.get(target.upstreamId.toLowerCase())?.id).toBe(id);
  });
  test(`the order of the lists does not matter: ${name}`, () => {
    const turned = Object.fromEntries(Object.entries(lists).toReversed());
    expect(merged({ lists: turned, aliases: ALIASES }).targets.get(id)).toHaveLength(2);
  });
}

const APART: [name: string, lists: Lists][] = [
  [
    "a base model and its instruct variant",
    { featherless: ["Qwen/Qwen2.5-7B"], arli: ["Qwen/Qwen2.5-7B-Instruct"] },
  ],
  ["two sizes", { featherless: ["Qwen/Qwen3-8B"], arli: ["Qwen/Qwen3-4B"] }],
  ["two versions", { featherless: ["x/Model-v0.1"], arli: ["x/Model-v0.2"] }],
  [
    "versions with a point and without",
    { featherless: ["x/Model-v0.1"], openrouter: ["x/model-v0-1"] },
  ],
  [
    "numbers that only look alike run together",
    { featherless: ["x/Model-1-12b"], openrouter: ["x/model-11-2b"] },
  ],
  [
    "a quantization with another name",
    { featherless: ["Qwen/Qwen3-8B"], arli: ["Qwen/Qwen3-8B-AWQ"] },
  ],
  [
    "another owner's copy or fine-tune",
    { featherless: ["Qwen/Qwen3-8B"], arli: ["unsloth/Qwen3-8B"] },
  ],
  [
    "two repositories of one list that differ in separators only",
    { featherless: ["u/Model-7B", "u/model-7-b"] },
  ],
  ["two spellings with capitals", { featherless: ["u/Model-7B"], arli: ["u/Model7B"] }],
  [
    "a name without an owner that two owned models have",
    { hybridinference: ["foo-7b"], featherless: ["a/Foo-7B", "b/Foo-7B"] },
  ],
  [
    "a name without an owner in a list that has the owned one too",
    { hybridinference: ["foo-7b", "a/Foo-7B"] },
  ],
  ["an offer with a suffix", { openrouter: ["deepseek/deepseek-r1", "deepseek/deepseek-r1:free"] }],
  [
    "Ollama's tags",
    { ollama: ["llama3.2:3b", "llama3.2:1b"], featherless: ["meta-llama/Llama-3.2-3B"] },
  ],
  [
    "a repository that is named, but tuned where the name says it is not",
    {
      openrouter: [{ id: "meta/llama-8b", hugging_face_id: "meta/Llama-8B-Instruct" }],
      featherless: ["meta/Llama-8B-Instruct"],
    },
  ],
  [
    "two offers of one list that name one repository",
    {
      openrouter: [
        { id: "x/m-fast", hugging_face_id: "X/M" },
        { id: "x/m-slow", hugging_face_id: "X/M" },
      ],
    },
  ],
  [
    "servers that call different repositories the same",
    { vllm: [{ id: "chat", root: "a/One" }], sglang: [{ id: "chat", root: "b/Two" }] },
  ],
];

for (const [name, lists] of APART) {
  test(`kept apart: ${name}`, () => {
    const all = merged({ lists, aliases: ALIASES });
    const entries = Object.values(lists).flat();
    expect(all.models).toHaveLength(entries.length);
    for (const { id } of all.models) expect(all.targets.get(id)).toHaveLength(1);
  });
}

test("what a list calls by an embedded model's short name is another model", () => {
  const own = [embedded("Qwen/Qwen2.5-1.5B-Instruct", 'aliases = ["qwen2.5-1.5b"]')];
  const all = merged({ own, lists: { vllm: ["qwen2.5-1.5b"] } });
  expect(shown(all)).toEqual([
    "Qwen/Qwen2.5-1.5B-Instruct: local/Qwen/Qwen2.5-1.5B-Instruct",
    "vllm/qwen2.5-1.5b: vllm/qwen2.5-1.5b",
  ]);
  expect(all.byName.get("qwen2.5-1.5b")?.id).toBe("Qwen/Qwen2.5-1.5B-Instruct");
});

test("what the config calls by an embedded model's short name is that model", () => {
  const own = [embedded("TinyLlama/Chat", 'aliases = ["tinyllama"]')];
  const all = merged({
    own,
    chosen: { vllm: { models: [model("TinyLlama", { upstreamId: "t" })] } },
  });
  expect(shown(all)).toEqual(["TinyLlama/Chat: local/TinyLlama/Chat vllm/t"]);
});

test("the config's name for a model is its id, with what the list says of it", () => {
  const all = merged({
    chosen: {
      vllm: { models: [model("my/coder", { upstreamId: "Qwen/Coder", aliases: ["coder"] })] },
    },
    lists: { vllm: [{ id: "Qwen/Coder", max_model_len: 4096 }, "Qwen/Other"] },
  });
  expect(shown(all)).toEqual(["my/coder: vllm/Qwen/Coder", "Qwen/Other: vllm/Qwen/Other"]);
  expect(all.byName.get("coder")?.id).toBe("my/coder");
  expect(all.targets.get("my/coder")?.[0]?.contextLength).toBe(4_096);
});

test("a name in the config that another model has is told", () => {
  const all = merged({
    own: [embedded("a/one", 'aliases = ["one"]')],
    chosen: { vllm: { models: [model("b/two", { aliases: ["one"] })] } },
  });
  expect(all.byName.get("one")?.id).toBe("a/one");
  expect(all.conflicts).toEqual([
    '"one" is a name of a/one already, and leads there, not to b/two',
  ]);
});

test("the config's facts win over the list's, which win over the provider's", () => {
  const listed = {
    id: "x/m-8B",
    context_length: 8192,
    pricing: { prompt: "0.000001", completion: "0.000002" },
  };
  const price = { prompt: 5, completion: 6, request: 0 };
  const target = (choice: Partial<ProviderChoice>) =>
    merged({ lists: { featherless: [listed] }, chosen: { featherless: choice } }).targets.get(
      "x/m-8B",
    )?.[0];
  expect(target({ price, priority: 3, weight: 2 })).toMatchObject({
    price: { prompt: 0.000001, completion: 0.000002 },
    priority: 3,
    weight: 2,
    contextLength: 8_192,
    concurrencyCost: 1,
    continuation: { prefill: false, completions: true },
    barred: null,
  });
  expect(target({ prices: { "x/m-8B": price } })?.price).toEqual({
    prompt: 0.000005,
    cached: null,
    completion: 0.000006,
    request: 0,
    image: null,
  });
  const chosen = model("x/m-8B", { contextLength: 1_000, maxOutput: 10, price, priority: -1 });
  expect(target({ models: [chosen], priority: 3 })).toMatchObject({
    price: { prompt: 0.000005 },
    contextLength: 1_000,
    maxOutput: 10,
    priority: -1,
  });
});

test("a price of the provider's holds where its list says none", () => {
  const price = { prompt: 1, completion: 2, request: 0.5 };
  const all = merged({ lists: { vllm: ["x/m"] }, chosen: { vllm: { price } } });
  expect(all.targets.get("x/m")?.[0]?.price).toEqual({
    prompt: 1e-6,
    cached: null,
    completion: 2e-6,
    request: 0.5,
    image: null,
  });
});

test("Featherless's models cost units by their size, and those it bars are barred", () => {
  const all = merged({
    lists: {
      featherless: [
        "a/m-8B",
        "a/m-32B",
        "a/m-72B",
        "a/m-405B",
        "a/unknown",
        { id: "a/told-70B", concurrency_cost: 3 },
        { id: "a/gated", is_gated: true },
        { id: "a/dear", available_on_current_plan: false },
      ],
    },
  });
  const facts = all.models.map(({ id }) => all.targets.get(id)?.[0]);
  expect(facts.map((target) => target?.concurrencyCost)).toEqual([1, 2, 4, 4, 1, 3, 1, 1]);
  expect(facts.map((target) => target?.barred)).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
    "gated",
    "plan",
  ]);
});

test("what did not change is the same object after another merge", () => {
  const input = { own: [embedded("a/one")], lists: { vllm: ["x/m", "x/n"] } };
  const first = merged(input);
  const providers = settleProviders({ vllm: NAMED }, FILES, () => "key").map((provider) => ({
    provider,
    listed: ["x/m", "x/n"].flatMap((id) => readListed(id) ?? []),
  }));
  const [only] = providers;
  if (only === undefined) throw new Error("there is one");
  const again = (listed: typeof only.listed, before?: Merged) =>
    atOnce(
      merge(
        {
          own: input.own,
          localFacts: () => ({}),
          providers: [{ ...only, listed }],
          aliases: NO_ALIASES,
        },
        before,
      ),
    );
  const before = again(only.listed);
  const after = again(only.listed.slice(1), before);
  expect(first.models.map(({ id }) => id)).toEqual(["a/one", "x/m", "x/n"]);
  expect(after.models.map(({ id }) => id)).toEqual(["a/one", "x/n"]);
  expect(after.models[0]).toBe(before.models[0]);
  expect(after.models[1]).toBe(before.models[2]);
  expect(after.targets.get("x/n")).toBe(before.targets.get("x/n"));
});

test("an embedded model of which another thing holds now is made anew, and nothing else is", () => {
  const input = { own: [embedded("a/one")], lists: { vllm: ["x/m"] } };
  const providers = settleProviders({ vllm: NAMED }, FILES, () => "key").map((provider) => ({
    provider,
    listed: input.lists.vllm.flatMap((item) => readListed(item) ?? []),
  }));
  const [vllm] = providers;
  if (vllm === undefined) throw new Error("there is one");
  const again = (contextLength: number, before?: Merged) =>
    atOnce(
      merge(
        {
          ...{ own: input.own, localFacts: () => ({ contextLength }), aliases: NO_ALIASES },
          providers: [vllm],
        },
        before,
      ),
    );
  const before = again(2_048);
  expect(again(2_048, before).targets.get("a/one")).toBe(before.targets.get("a/one"));
  const after = again(512, before);
  expect(after.targets.get("a/one")?.[0]?.contextLength).toBe(512);
  expect(after.targets.get("x/m")).toBe(before.targets.get("x/m"));
});
