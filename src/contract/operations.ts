import { z } from "zod";
import { ChatChunk, ChatRequest, ChatResponse } from "./chat.ts";
import { CompletionChunk, CompletionRequest, CompletionResponse } from "./completions.ts";
import { EmbeddingsRequest, EmbeddingsResponse } from "./embeddings.ts";
import { Health, Readiness } from "./health.ts";
import { ModelItem, ModelList, ModelsQuery } from "./models.ts";
import {
  DetokenizeRequest,
  DetokenizeResponse,
  TokenizeRequest,
  TokenizeResponse,
} from "./tokenize.ts";

/** One endpoint, as data: what mounts it, checks it, documents it and counts it reads this. */
export interface Contract {
  readonly operation: string;
  readonly method: "GET" | "POST";
  /** Parameters of the path stand in braces: `/v1/models/{owner}/{name}`. */
  readonly path: string;
  /** Other paths that mean the same. */
  readonly aliases?: readonly string[];
  /** The schema of the JSON body, or null when there is none. */
  readonly request: z.ZodType | null;
  /** The schema of the query, where one is read. */
  readonly query?: z.ZodObject;
  readonly response: z.ZodType;
  /** Of an answer that is no JSON. */
  readonly mediaType?: string;
  /** The schema of one event, where the endpoint can stream. */
  readonly chunk?: z.ZodType;
  readonly auth: "none" | "caller" | "admin";
  /** Whether what a call used counts towards the caller's tokens. */
  readonly meter: "tokens" | "none";
  readonly summary: string;
  /** Whose shapes its errors have; OpenAI's unless it says so. */
  readonly dialect?: "openrouter";
}

const contract = <const C extends Contract>(value: C): C => value;

/** Every endpoint, by its operation. */
export const CONTRACTS = {
  chat: contract({
    operation: "chat",
    method: "POST",
    path: "/v1/chat/completions",
    request: ChatRequest,
    response: ChatResponse,
    chunk: ChatChunk,
    auth: "caller",
    meter: "tokens",
    summary: "Answer a conversation, in one piece or as a stream.",
  }),
  completions: contract({
    operation: "completions",
    method: "POST",
    path: "/v1/completions",
    request: CompletionRequest,
    response: CompletionResponse,
    chunk: CompletionChunk,
    auth: "caller",
    meter: "tokens",
    summary: "Continue a text, in one piece or as a stream.",
  }),
  embeddings: contract({
    operation: "embeddings",
    method: "POST",
    path: "/v1/embeddings",
    request: EmbeddingsRequest,
    response: EmbeddingsResponse,
    auth: "caller",
    meter: "tokens",
    summary: "Turn texts into vectors.",
  }),
  tokenize: contract({
    operation: "tokenize",
    method: "POST",
    path: "/v1/tokenize",
    request: TokenizeRequest,
    response: TokenizeResponse,
    auth: "caller",
    meter: "none",
    summary: "Cut a text or a conversation into a model's tokens, and count them.",
  }),
  detokenize: contract({
    operation: "detokenize",
    method: "POST",
    path: "/v1/detokenize",
    request: DetokenizeRequest,
    response: DetokenizeResponse,
    auth: "caller",
    meter: "none",
    summary: "Join a model's tokens into text.",
  }),
  models: contract({
    operation: "models",
    method: "GET",
    path: "/v1/models",
    request: null,
    query: ModelsQuery,
    response: ModelList,
    auth: "caller",
    meter: "none",
    summary: "List the models that can answer.",
  }),
  model: contract({
    operation: "model",
    method: "GET",
    path: "/v1/models/{owner}/{name}",
    aliases: ["/v1/models/{id}"],
    request: null,
    response: ModelItem,
    auth: "caller",
    meter: "none",
    summary: "Describe one model, by its id or an alias.",
  }),
  health: contract({
    operation: "health",
    method: "GET",
    path: "/health",
    request: null,
    response: Health,
    auth: "none",
    meter: "none",
    summary: "Say that the process answers.",
  }),
  ready: contract({
    operation: "ready",
    method: "GET",
    path: "/health/ready",
    request: null,
    response: Readiness,
    auth: "none",
    meter: "none",
    summary: "Say whether models and store are ready, and which are not.",
  }),
  openapi: contract({
    operation: "openapi",
    method: "GET",
    path: "/openapi.json",
    request: null,
    response: z.looseObject({ openapi: z.string() }),
    auth: "none",
    meter: "none",
    summary: "Describe this API, in OpenAPI 3.1.",
  }),
};
