import { expect, test } from "bun:test";
import { billions, type ListedModel, readListed } from "./listed.ts";

const read = (item: unknown): ListedModel => {
  const listed = readListed(item);
  if (listed === null) throw new Error("it can be read");
  return listed;
};

test("an item as OpenAI has it", () => {
  expect(
    read({ id: "Qwen/Qwen3-8B", object: "model", created: 1742668800, owned_by: "x" }),
  ).toEqual({
    id: "Qwen/Qwen3-8B",
    hub: null,
    name: null,
    description: "",
    created: 1_742_668_800,
    owner: "x",
    contextLength: null,
    maxOutput: null,
    category: "text",
    modalities: { input: ["text"], output: ["text"] },
    features: [],
    tags: [],
    parameters: "8B",
    quantization: null,
    price: null,
    units: null,
    barred: null,
    takes: null,
  });
});

test("Featherless: class, context, cost, gate and plan", () => {
  const item = {
    id: "Qwen/Qwen2.5-Coder-32B-Instruct",
    model_class: "qwen25-32b-lc",
    context_length: 32768,
    max_completion_tokens: 4096,
    concurrency_cost: 2,
    is_gated: false,
    available_on_current_plan: true,
  };
  expect(read(item)).toMatchObject({
    contextLength: 32_768,
    maxOutput: 4_096,
    units: 2,
    parameters: "32B",
    category: "code",
    barred: null,
  });
  expect(read({ ...item, is_gated: true }).barred).toBe("gated");
  expect(read({ ...item, available_on_current_plan: false }).barred).toBe("plan");
});

test("OpenRouter: prices a token in strings, architecture, top provider, parameters", () => {
  const item = {
    id: "meta-llama/llama-3.2-11b-vision-instruct",
    hugging_face_id: "meta-llama/Llama-3.2-11B-Vision-Instruct",
    name: "Meta: Llama 3.2 11B Vision Instruct",
    created: 1727222400,
    context_length: 131072,
    architecture: {
      modality: "text+image->text",
      input_modalities: ["text", "image"],
      output_modalities: ["text"],
    },
    pricing: {
      prompt: "0.000000049",
      completion: "0.000000049",
      request: "0",
      image: "0.00007948",
    },
    top_provider: { context_length: 65536, max_completion_tokens: 16384, is_moderated: false },
    supported_parameters: ["tools", "temperature", "structured_outputs"],
  };
  expect(read(item)).toMatchObject({
    hub: "meta-llama/Llama-3.2-11B-Vision-Instruct",
    contextLength: 65_536,
    maxOutput: 16_384,
    category: "multimodal",
    modalities: { input: ["text", "image"], output: ["text"] },
    price: { prompt: 0.000000049, cached: null, completion: 0.000000049, request: 0, image: null },
    features: ["tool_use", "json_schema"],
    takes: ["tools", "temperature", "structured_outputs"],
  });
  expect(
    read({ id: "openrouter/auto", pricing: { prompt: "-1", completion: "-1" } }).price,
  ).toBeNull();
});

test("HybridInference: an architecture with one modality, prices of 0", () => {
  const item = {
    id: "llama-3.3-70b-instruct",
    owned_by: "system",
    context_length: 131072,
    architecture: { modality: "text", tokenizer: "llama3", instruct_type: "llama3" },
    pricing: { prompt: "0", cached: null, completion: "0", request: "0", image: null },
  };
  expect(read(item)).toMatchObject({
    contextLength: 131_072,
    parameters: "70B",
    price: { prompt: 0, cached: null, completion: 0, request: 0, image: null },
    modalities: { input: ["text"], output: ["text"] },
  });
});

test("FlexAI: a category for each", () => {
  expect(read({ id: "bge-m3", category: "embeddings" }).category).toBe("embeddings");
  expect(read({ id: "coder", category: "coding" }).category).toBe("code");
  expect(read({ id: "odd", category: "no such thing" }).category).toBe("text");
});

test("vLLM: the longest request, the loaded repository, adapters", () => {
  const item = { id: "gpt", root: "Qwen/Qwen2.5-7B-Instruct", parent: null, max_model_len: 16384 };
  expect(read(item)).toMatchObject({ hub: "Qwen/Qwen2.5-7B-Instruct", contextLength: 16_384 });
  expect(read({ ...item, id: "sql-lora", root: "me/sql-lora", parent: "gpt" }).hub).toBeNull();
  expect(read({ ...item, root: "/models/qwen" }).hub).toBeNull();
});

test("llama.cpp server: the context it was started with, else the one it was trained for", () => {
  const meta = { n_ctx_train: 131072, n_params: 3212749888, size: 2019373056 };
  expect(read({ id: "m.gguf", meta }).contextLength).toBe(131_072);
  expect(read({ id: "m.gguf", meta: { ...meta, n_ctx: 8192 } }).contextLength).toBe(8_192);
});

test("Ollama: a name with a tag, and details", () => {
  const item = {
    name: "llama3.2:3b",
    model: "llama3.2:3b",
    modified_at: "2025-05-04T17:37:44.706015396-07:00",
    size: 2019393189,
    details: { family: "llama", parameter_size: "3.2B", quantization_level: "Q4_K_M" },
  };
  expect(read(item)).toMatchObject({
    id: "llama3.2:3b",
    parameters: "3.2B",
    quantization: "Q4_K_M",
    created: 1_746_405_464,
  });
});

test("LM Studio: its kinds and contexts", () => {
  const item = { id: "qwen2-vl-7b", type: "vlm", max_context_length: 32768, quantization: "4bit" };
  expect(read(item)).toMatchObject({
    category: "multimodal",
    contextLength: 32_768,
    quantization: "4bit",
  });
  expect(read({ id: "nomic", type: "embeddings" }).category).toBe("embeddings");
});

test("a plain name is a model", () => {
  expect(read("some/model").id).toBe("some/model");
});

test.each([
  [null],
  [42],
  [[]],
  [{}],
  [{ id: "" }],
  [{ id: 5 }],
  [{ id: "with space" }],
  [{ id: "line\nbreak" }],
  [{ id: "x".repeat(300) }],
])("%j is no model", (item) => {
  expect(readListed(item)).toBeNull();
});

test("fields of the wrong kind are unknown, and no reason to fail", () => {
  const junk = [null, 1, "x", [], {}, -1, 1.5, true, "1e999", [{}]];
  const names = [
    "created",
    "context_length",
    "pricing",
    "architecture",
    "top_provider",
    "features",
  ];
  for (const value of junk)
    for (const name of [...names, "tags", "capabilities", "details", "meta", "category"])
      expect(readListed({ id: "m", [name]: value })?.id).toBe("m");
  expect(readListed({ id: "m", pricing: { prompt: "free", completion: [] } })?.price).toBeNull();
});

test("sizes as people write them", () => {
  expect(read({ id: "mistralai/Mixtral-8x7B-Instruct-v0.1" }).parameters).toBe("8x7B");
  expect(read({ id: "Qwen/Qwen3-235B-A22B" }).parameters).toBe("235B");
  expect(read({ id: "microsoft/phi-4" }).parameters).toBeNull();
  expect([billions("8x7B"), billions("0.5B"), billions("500M"), billions("big")]).toEqual([
    56,
    0.5,
    0.5,
    null,
  ]);
});
