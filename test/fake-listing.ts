import type { Dialect } from "./fake-styles.ts";

/** Lists of models and counts of tokens, as each kind of server gives them. */

const CREATED = 1_742_668_800;
const CONTEXT = 32_768;

/** The models of the seeds' examples, and those of a server that is one's own. */
const OWN: Partial<Record<Dialect, readonly string[]>> = {
  featherless: [
    "nousresearch/hermes-3-llama-3.1-8b",
    "qwen/qwen2.5-coder-7b",
    "Qwen/Qwen2.5-72B-Instruct",
    "Qwen/Qwen2.5-Coder-32B-Instruct",
    "nvidia/OpenCodeReasoning-Nemotron-32B",
    "google/gemma-3-27b-it",
    "google/gemma-3-12b-it",
    "google/gemma-3-4b-it",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
  ],
  arli: ["Qwen/Qwen2.5-72B-Instruct", "Qwen/Qwen3.5-27B-Derestricted", "Qwen/Qwen3.5-VL"],
  hybridinference: ["llama-3.3-70b-instruct", "llama-4-maverick"],
  openrouter: ["qwen/qwen-2.5-72b-instruct", "meta-llama/llama-3.3-70b-instruct"],
  flexai: ["Llama-3.3-70B-Instruct", "bge-m3"],
};

export function modelsOf(dialect: Dialect, more: readonly string[]): readonly string[] {
  return [...(OWN[dialect] ?? []), ...more];
}

/** The answer to a request for the list; null where there is nothing at this path. */
export function listing(dialect: Dialect, path: string, models: readonly string[]): object | null {
  if (path === "/api/tags")
    return dialect === "ollama" ? { models: models.map(ollamaModel) } : null;
  if (path === "/api/version") return dialect === "ollama" ? { version: "0.12.6" } : null;
  if (path !== "/v1/models" || dialect === "sdwebui") return null;
  const data = models.map((id) => item(dialect, id));
  if (dialect === "openrouter") return { data };
  if (dialect === "llamacpp") return { models: models.map(ollamaModel), object: "list", data };
  return { object: "list", data };
}

function item(dialect: Dialect, id: string): object {
  const plain = { id, object: "model", created: CREATED, owned_by: OWNERS[dialect] ?? "system" };
  switch (dialect) {
    case "vllm":
      return {
        ...plain,
        root: id,
        parent: null,
        max_model_len: CONTEXT,
        permission: [{ id: "modelperm-1", object: "model_permission" }],
      };
    case "sglang":
      return { ...plain, root: id, parent: null, max_model_len: CONTEXT };
    case "llamacpp":
      return {
        ...plain,
        meta: {
          vocab_type: 2,
          n_vocab: 151_936,
          n_ctx_train: CONTEXT,
          n_embd: 896,
          n_params: 494_032_768,
          size: 394_950_656,
        },
      };
    case "tabbyapi":
      return { ...plain, logging: null, parameters: null };
    case "featherless":
      return {
        id,
        is_gated: false,
        created: CREATED,
        model_class: "qwen25-72b-lc",
        owned_by: id.split("/")[0],
        context_length: CONTEXT,
        max_completion_tokens: 4096,
        available_on_current_plan: true,
      };
    case "hybridinference":
      return {
        ...plain,
        context_length: 131_072,
        architecture: { modality: "text", tokenizer: "llama3", instruct_type: "llama3" },
        pricing: { prompt: "0", completion: "0", request: "0" },
      };
    case "flexai":
      return { ...plain, category: id === "bge-m3" ? "embeddings" : "text" };
    case "openrouter":
      return {
        id,
        canonical_slug: id,
        hugging_face_id: "",
        name: id,
        created: CREATED,
        description: "",
        context_length: CONTEXT,
        architecture: {
          modality: "text->text",
          input_modalities: ["text"],
          output_modalities: ["text"],
          tokenizer: "Qwen",
          instruct_type: null,
        },
        pricing: { prompt: "0.00000012", completion: "0.00000039", request: "0", image: "0" },
        top_provider: {
          context_length: CONTEXT,
          max_completion_tokens: 16_384,
          is_moderated: false,
        },
        per_request_limits: null,
        supported_parameters: [
          "max_tokens",
          "temperature",
          "top_p",
          "stop",
          "seed",
          "tools",
          "response_format",
        ],
      };
    default:
      return plain;
  }
}

const OWNERS: Partial<Record<Dialect, string>> = {
  vllm: "vllm",
  sglang: "sglang",
  llamacpp: "llamacpp",
  tabbyapi: "tabbyAPI",
  ollama: "library",
};

const ollamaModel = (name: string) => ({
  name,
  model: name,
  modified_at: "2025-03-22T18:40:00.000000000Z",
  size: 394_950_656,
  digest: "a8b0c51577010a279d933d14c2a8ab4b268079d44c5c8830c0a93900f1827c67",
  details: {
    parent_model: "",
    format: "gguf",
    family: "qwen2",
    families: ["qwen2"],
    parameter_size: "494.03M",
    quantization_level: "Q4_K_M",
  },
});

/** One token a character, its code point as the id: any text comes back whole. */
const idsOf = (text: string) => [...text].map((character) => character.codePointAt(0) ?? 0);
const textFrom = (ids: unknown) =>
  Array.isArray(ids) ? ids.map((id) => String.fromCodePoint(Number(id))).join("") : "";

type Body = Record<string, unknown>;

/** Tokens of what was sent; `missing` when the field is not there that this server wants; null for another path. */
export function tokens(dialect: Dialect, path: string, body: Body): object | "missing" | null {
  const text = (name: string) => (typeof body[name] === "string" ? body[name] : null);
  const found = (value: string | null, form: (ids: number[]) => object) =>
    value === null ? "missing" : form(idsOf(value));
  const counted = (ids: number[]) => ({ count: ids.length, max_model_len: CONTEXT, tokens: ids });
  switch (dialect) {
    case "llamacpp":
      if (path === "/detokenize") return { content: textFrom(body.tokens) };
      if (path !== "/tokenize") return null;
      return found(text("content"), (ids) => ({
        tokens:
          body.with_pieces === true
            ? ids.map((id) => ({ id, piece: String.fromCodePoint(id) }))
            : ids,
      }));
    case "tabbyapi":
      if (path === "/v1/token/decode") return { text: textFrom(body.tokens) };
      if (path !== "/v1/token/encode") return null;
      return found(text("text") ?? chatText(body.text), (ids) => ({
        tokens: ids,
        length: ids.length,
      }));
    case "featherless":
      return path === "/v1/tokenize" ? found(text("text"), (ids) => ({ tokens: ids })) : null;
    case "openrouter":
    case "ollama":
    case "hybridinference":
    case "flexai":
      return null;
    default: {
      if (path.endsWith("/detokenize")) return { prompt: textFrom(body.tokens) };
      if (!path.endsWith("/tokenize")) return null;
      return found(text("prompt") ?? chatText(body.messages), (ids) => ({
        ...counted(ids),
        token_strs:
          body.return_token_strs === true ? ids.map((id) => String.fromCodePoint(id)) : null,
      }));
    }
  }
}

/** A chat as a template would write it. */
function chatText(messages: unknown): string | null {
  if (!Array.isArray(messages)) return null;
  return messages.map((message) => `<|${message.role}|>\n${message.content}\n`).join("");
}
