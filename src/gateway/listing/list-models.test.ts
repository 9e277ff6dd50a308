import { expect, test } from "bun:test";
import { FREE, targetOf } from "../../catalog/target.ts";
import { ModelList, ModelsQuery } from "../../contract/models.ts";
import { parseQuery } from "../../contract/validate.ts";
import type { Model } from "../../types.ts";
import { describe } from "./describe-model.ts";
import { pageOfModels } from "./list-models.ts";

const model = (id: string, more: Partial<Model["file"]> = {}): Model => ({
  id,
  aliases: [],
  file: {
    id,
    name: id,
    description: "",
    aliases: [],
    category: "text",
    engine: "llama",
    created: 0,
    owned_by: "somebody",
    context_length: 2048,
    modalities: { input: ["text"], output: ["text"] },
    license: "Apache-2.0",
    stop: [],
    features: [],
    tags: [],
    defaults: {},
    weights: { source: "upstream", sha256: null, size: null },
    ...more,
  },
});

const ITEMS = [
  model("Qwen/Coder", { category: "code", context_length: 32_768, created: 3, tags: ["small"] }),
  model("meta/Eyes", {
    category: "multimodal",
    modalities: { input: ["text", "image"], output: ["text"] },
    features: ["tool_use"],
    created: 2,
  }),
  model("unknown/length", { context_length: 0, created: 1, tags: ["small", "english"] }),
].map((each) => describe(each));

test("a provider's models are those it has a target of, and prices have no noise", () => {
  const price = { ...FREE, prompt: 0.2 / 1e6 + 2.7e-23, completion: 6e-7 };
  const at = (id: string, ...providers: string[]) =>
    describe(
      model(id),
      providers.map((provider) => targetOf(model(id), provider, id, { price })),
    );
  const items = [at("a/one", "gpu-1", "gpu-2"), at("a/two", "gpu-2"), at("a/three", "local")];
  const found = (name: string) =>
    pageOfModels(
      items,
      parseQuery(ModelsQuery, new URLSearchParams({ provider: name })),
      new URLSearchParams(),
    ).data.map(({ id }) => id);
  expect(found("gpu-1")).toEqual(["a/one"]);
  expect(found("GPU-2")).toEqual(["a/one", "a/two"]);
  expect(found("local")).toEqual(["a/three"]);
  expect(found("nobody")).toEqual([]);
  expect(items[0]?.pricing).toMatchObject({ prompt: "0.0000002", input: 2e-7, output: 6e-7 });
});

const page = (query: string): ModelList => {
  const sent = new URLSearchParams(query);
  return pageOfModels(ITEMS, parseQuery(ModelsQuery, sent), sent);
};

const CASES: [query: string, ids: string[]][] = [
  ["", ["Qwen/Coder", "meta/Eyes", "unknown/length"]],
  ["q=EYES", ["meta/Eyes"]],
  ["family=qwen", ["Qwen/Coder"]],
  ["category=coding", ["Qwen/Coder"]],
  ["tags=small,english", ["unknown/length"]],
  ["tags=small&tags=english", ["unknown/length"]],
  ["modalities=image", ["meta/Eyes"]],
  ["capabilities=tool_use", ["meta/Eyes"]],
  ["capabilities=image_input", ["meta/Eyes"]],
  ["context_length_min=2048", ["Qwen/Coder", "meta/Eyes"]],
  ["sort=-context_length", ["Qwen/Coder", "meta/Eyes", "unknown/length"]],
  ["sort=created", ["unknown/length", "meta/Eyes", "Qwen/Coder"]],
  ["sort=name&limit=1&offset=1", ["Qwen/Coder"]],
  ["page=2&per_page=2", ["unknown/length"]],
  ["page=9&per_page=2", []],
  ["available_on_current_plan=1", ["Qwen/Coder", "meta/Eyes", "unknown/length"]],
  ["q=nothing", []],
];

for (const [query, expected] of CASES) {
  test(`/v1/models?${query} lists ${expected.length === 0 ? "nothing" : expected.join(", ")}`, () => {
    expect(page(query).data.map(({ id }) => id)).toEqual(expected);
  });
}

test("what enlarges images takes them and gives them, and looks at none", () => {
  const images = { input: ["image"], output: ["image"] } satisfies Model["file"]["modalities"];
  const item = describe(model("x/enlarger", { category: "image", modalities: images }));
  const found = (query: string) => {
    const sent = new URLSearchParams(query);
    return pageOfModels([...ITEMS, item], parseQuery(ModelsQuery, sent), sent).data.map(
      ({ id }) => id,
    );
  };
  expect(item.features.image_input).toBe(false);
  expect(found("modalities=image")).toEqual(["meta/Eyes", "x/enlarger"]);
  expect(found("capabilities=image_input")).toEqual(["meta/Eyes"]);
});

test("a page says how many there are, and where the next one is", () => {
  const first = page("per_page=2&page=1&q=e");
  expect(first).toMatchObject({ total: 3, total_count: 3 });
  expect(first.pagination).toEqual({ current_page: 1, total_pages: 2, total_items: 3 });
  expect(first.links.next).toBe("/v1/models?q=e&limit=2&offset=2");
  expect(page("q=e&limit=2&offset=2").links.next).toBeNull();
  expect(ModelList.parse(first)).toEqual(first);
});

test("a context that nobody told is null, not a number somebody made up", () => {
  expect(ITEMS[2]?.context_length).toBeNull();
  expect(ITEMS[2]?.top_provider.max_completion_tokens).toBeNull();
});
