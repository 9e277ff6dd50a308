/** The nouns every folder shares. Types only: this file has no runtime code and imports only types. */
import type { ProviderFile } from "./catalog/provider-file.ts";
import type { ModelFile, SamplingDefaults } from "./catalog/schema.ts";
import type { ChatChunkBody, ChatRequest } from "./contract/chat.ts";
import type { CompletionChunkBody, CompletionRequest } from "./contract/completions.ts";
import type { EmbeddingsRequest } from "./contract/embeddings.ts";
import type { ErrorName } from "./contract/errors.ts";
import type { DetokenizeRequest, TokenizeRequest } from "./contract/tokenize.ts";
import type { UpscaleInput } from "./contract/upscale.ts";
import type { Usage } from "./contract/usage.ts";

/** What a caller can ask of a model. */
export type Operation =
  | "chat"
  | "completions"
  | "embeddings"
  | "tokenize"
  | "detokenize"
  | "upscale";

export interface OperationInput {
  chat: ChatRequest;
  completions: CompletionRequest;
  embeddings: EmbeddingsRequest;
  tokenize: TokenizeRequest;
  detokenize: DetokenizeRequest;
  upscale: UpscaleInput;
}

/** One model as the catalog knows it, wherever it runs. */
export interface Model {
  /** Canonical id, in the case it is shown: `TinyLlama/TinyLlama-1.1B-Chat-v1.0`. */
  readonly id: string;
  readonly aliases: readonly string[];
  /** The parsed TOML file. */
  readonly file: ModelFile;
}

/** Sampling that a model gets when a request doesn't say. */
export type ModelDefaults = SamplingDefaults;

/** US dollars a token, a request, an image. An explicit 0 is free; what nobody said is null. */
export interface Price {
  readonly prompt: number;
  /** A token of the prompt that was read from a cache; null is as any other. */
  readonly cached: number | null;
  readonly completion: number;
  readonly request: number;
  /** An image that was made; null where nobody said. */
  readonly image: number | null;
}

/** How a target goes on with an answer that another one began; all of it declared, never tried out. */
export interface Continuation {
  /** It takes a chat whose last message is the beginning of its own answer. */
  readonly prefill: boolean;
  /** It completes raw text, so that a rendered chat template with the beginning of an answer works. */
  readonly completions: boolean;
  /** A chat's beginning may end in white space: it is gone on with as it is. */
  readonly exact: boolean;
  /** Also with guided output: the guide counts from the answer's beginning, not from the seam. */
  readonly guided: boolean;
}

/** One place that can answer for a model. An embedded engine is a provider too. */
export interface Target {
  /** `<provider>/<upstreamId>`: its name in health, records and affinity. */
  readonly id: string;
  readonly model: Model;
  /** Id of the `Backend`: `local`, or a provider's id. */
  readonly provider: string;
  /** What that backend calls the model. */
  readonly upstreamId: string;
  /** Lower ones are tried first. */
  readonly priority: number;
  /** Its share of the calls among targets of one priority; more than 0. */
  readonly weight: number;
  /** Null where nobody said; an embedded engine's is 0. */
  readonly price: Price | null;
  /** Tokens of prompt and answer together; null where nobody said. */
  readonly contextLength: number | null;
  /** Most tokens one answer may have; null where nobody said. */
  readonly maxOutput: number | null;
  /** `Q4_K_M`, `fp8`, …; null where nobody said. */
  readonly quantization: string | null;
  /** Whether its provider may keep or learn from what it is sent. */
  readonly collectsData: boolean;
  /** Units of its provider's concurrency that one call takes. */
  readonly concurrencyCost: number;
  readonly continuation: Continuation;
  /** Names of the request parameters it takes; null where nobody said. */
  readonly parameters: readonly string[] | null;
  /** Why its provider says that it may not be used: gated weights, another plan; null where it may. */
  readonly barred: "gated" | "plan" | null;
}

/** One provider, decided: its file of facts, and what the config and the environment add. */
export interface ProviderSettings {
  readonly id: string;
  readonly file: ProviderFile;
  /** Without a slash at the end: `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  /** They take turns. Secrets that appear in nothing we say. */
  readonly keys: readonly string[];
  /** The variable that should hold a key and is not set; then nothing is sent. */
  readonly missingKey: string | null;
  /** Units that may run at once; null is no limit. */
  readonly concurrency: number | null;
  /** Milliseconds. */
  readonly limits: TimeLimits;
}

/** How long a provider may be silent, in milliseconds, phase by phase. */
export interface TimeLimits {
  /** Until the connection stands. */
  readonly connect: number;
  /** Until a stream's response has begun (its headers). */
  readonly firstByte: number;
  /** From then until its first token; comments don't count. */
  readonly firstToken: number;
  /** Between two tokens. */
  readonly gap: number;
  /** Until a whole answer, one that does not stream, is there. */
  readonly answer: number;
}

/** What a running call has used so far. Backends write it as they go; the journal reads it every second. */
export interface Meter {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
  /** Images it was answered with, and their pixels. */
  images: number;
  /** Of the request, that were read: they are no answer, and have no price of their own. */
  imagesRead: number;
  pixels: number;
  /** How much of an image is done, 0 to 1; null where nobody can say. */
  progress: number | null;
  /** Who counted: the upstream in its usage, our own tokenizer, or an estimate. */
  source: UsageSource;
  /** An answer is being made of which nothing can be counted until all of it is there. */
  unseen: boolean;
  /** `performance.now()` when the backend began working on it (end of any queue); 0 while queued. */
  startedAt: number;
  /** `performance.now()` of the first token; 0 before it. */
  firstTokenAt: number;
  /** Events of a stream that could not be read, and were skipped. */
  malformedEvents: number;
  /** US dollars the upstream says it charged; null when it says nothing. */
  providerCost: number | null;
}

export type UsageSource = "upstream" | "counted" | "estimated" | "none";

/** What a backend is handed besides the request. One attempt's: another attempt gets another one. */
export interface AttemptContext {
  readonly callId: string;
  /** Aborted when the caller leaves or the gateway gives up. Work must stop, promises must settle. */
  readonly signal: AbortSignal;
  /** Gives the attempt up, not the call: aborts the signal with this as its reason. */
  readonly abort: (reason: Error) => void;
  /** This attempt's own. */
  readonly meter: Meter;
  /** Names of request parameters this backend could not honour; told to the caller and the log. */
  readonly dropped: Set<string>;
  /** The caller's key id, for fairness in queues. */
  readonly keyId: string;
  /**
   * The beginning of the answer, from an attempt that died: go on after it, and give only what follows.
   * Null for an answer from its beginning. Only targets whose `continuation` allows it get one.
   */
  readonly prefill: string | null;
  /** Told to the caller as response headers, such as `x-covey-json-schema: fallback`. */
  readonly notes: Map<string, string>;
}

/** A piece of a streamed answer, OpenAI-shaped, before the gateway stamps id, object, created and model on it. */
export type StreamEvent = ChatChunkBody | CompletionChunkBody;

export type JsonObject = { [key: string]: unknown };

/**
 * A backend's answer. Events come in the groups they arrived in, so that one read from a socket
 * stays one write to another. The last event carries `usage`. A failure is thrown, as a
 * `GatewayError`, from the promise or from the iterator; an iterator that ends without having
 * yielded a `finish_reason` for every choice is a failure too.
 */
export type Reply =
  | { readonly kind: "json"; readonly body: JsonObject; readonly usage: Usage | null }
  | { readonly kind: "stream"; readonly events: AsyncIterable<readonly StreamEvent[]> };

export type BackendOperations = {
  readonly [O in Operation]?: (
    target: Target,
    input: OperationInput[O],
    context: AttemptContext,
  ) => Promise<Reply>;
};

/**
 * Whether a model can answer: `ready` now, `loadable` on demand, `loading`, or not, with the reason. One that is
 * `too_big` will not, however often it is asked: it never fits the memory that there is.
 */
export interface ModelState {
  readonly state: "ready" | "loading" | "loadable" | "crashed" | "too_big" | "unavailable";
  readonly detail: string | null;
  /** When an unavailable one will be back, on the `performance.now()` clock; absent when nobody knows. */
  readonly until?: number;
}

/** Something that answers requests: the embedded engines, or one upstream provider. */
export interface Backend {
  readonly id: string;
  /** What people call it; its id where it has no other name. */
  readonly name?: string;
  readonly operations: BackendOperations;
  state(target: Target): ModelState;
  /** What an operator should know of it now: no key, keys at rest, nothing listens; null when all is well. */
  trouble?(): string | null;
  /** How many keys it has, and how many rest for some model. `now` as `performance.now()` has it. */
  keys?(now: number): { readonly all: number; readonly resting: number };
  /** Names of the parameters of this request that the target can't honour. Pure; never throws. */
  unsupported(target: Target, operation: Operation, input: JsonObject): readonly string[];
  open?(): Promise<void>;
  /** Ends everything it started. Called once; running calls have been drained or aborted before. */
  close?(): Promise<void>;
}

/** Who is calling. */
export interface Caller {
  /** `anonymous`, `admin`, or a key's id. Never the key. */
  readonly keyId: string;
  readonly role: "anonymous" | "key" | "admin";
  /** What is known of its key; null for anonymous callers and the admin key of the environment. */
  readonly key: Key | null;
}

/** One API key, without the key itself. Times are Unix milliseconds. */
export interface Key {
  /** `key_…`, in every record and answer. */
  readonly id: string;
  /** The first characters of the key, by which people know it. */
  readonly prefix: string;
  readonly name: string;
  readonly owner: string;
  readonly role: "key" | "admin";
  /** A plan of the config; null is the default one. */
  readonly plan: string | null;
  /** Model ids and patterns with `*`, in lower case; null is all. */
  readonly models: readonly string[] | null;
  /** Endpoints it may use, by operation; null is all. */
  readonly endpoints: readonly string[] | null;
  readonly budget: Budget | null;
  readonly tags: readonly string[];
  /** Whether what its calls send and get is kept. */
  readonly payloads: "off" | "sampled" | "on" | null;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly disabledAt: number | null;
  readonly revokedAt: number | null;
}

/** What a key may spend in a calendar day or month (UTC), in billionths of a US dollar. */
export interface Budget {
  readonly period: "day" | "month";
  readonly nanoUsd: number;
}

/** What an operator says of a key. */
export type KeySettings = Pick<
  Key,
  | "name"
  | "owner"
  | "role"
  | "plan"
  | "models"
  | "endpoints"
  | "budget"
  | "tags"
  | "payloads"
  | "expiresAt"
>;

/** A key, and what only its operator is shown. Times are Unix milliseconds. */
export interface KnownKey extends Key {
  /** When a call of it last began or was seen running; null for never. */
  readonly lastUsedAt: number | null;
  /** The text that it was rotated away from, and until when that opens; null for a key that never was. */
  readonly previous: { readonly prefix: string; readonly until: number } | null;
}

/** A key with the text that opens, which is told once and kept nowhere. */
export interface NewKey {
  readonly key: KnownKey;
  readonly secret: string;
}

/**
 * The keys, written. Ids, prefixes and names that are one key's alone are taken for it. Everything
 * throws a `GatewayError`: `not_found`, `invalid_request` for a key that is revoked, `unavailable`
 * while the database doesn't answer.
 */
export interface KeyStore {
  create(settings: KeySettings): Promise<NewKey>;
  /** Newest first. */
  list(): Promise<readonly KnownKey[]>;
  find(which: string): Promise<KnownKey>;
  update(which: string, change: Partial<KeySettings>): Promise<KnownKey>;
  /** A new text for the same key; the old one opens for `overlapMs` more. */
  rotate(which: string, overlapMs: number): Promise<NewKey>;
  disable(which: string): Promise<KnownKey>;
  enable(which: string): Promise<KnownKey>;
  /** For good. */
  revoke(which: string): Promise<KnownKey>;
}

/** How an admitted call ended, as the call log names it. */
export type CallStatus = "completed" | "failed" | "cancelled" | "interrupted" | "refused";

/** Written before a call runs. */
export interface ReserveRecord {
  readonly id: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly endpoint: string;
  readonly model: string;
  readonly keyId: string;
  readonly stream: boolean;
  /** The client's own `x-request-id`, if it sent a valid one. Only a column. */
  readonly requestId: string | null;
  /** `HTTP-Referer` and `X-Title`, if sent. */
  readonly referer: string | null;
  readonly title: string | null;
}

/** Written when it ended. Exactly one per reserved call. */
export interface SettleRecord {
  readonly id: string;
  readonly at: number;
  readonly status: Exclude<CallStatus, "interrupted">;
  readonly httpStatus: number;
  readonly error: ErrorName | null;
  /** The one that answered: another than was asked for, where the call fell back to it. */
  readonly model: string | null;
  readonly provider: string | null;
  readonly finishReason: string | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly images: number;
  readonly pixels: number;
  readonly usageSource: UsageSource;
  /** Milliseconds waiting for a place in an engine or a provider. */
  readonly queueMs: number | null;
  /** Milliseconds from arrival to the first token. */
  readonly firstTokenMs: number | null;
  /** Milliseconds from arrival to the end. */
  readonly totalMs: number;
  readonly droppedParams: readonly string[];
  /** What the call is charged, in billionths of a US dollar; null where no price is known (`gateway/cost.ts`). */
  readonly costNanoUsd: number | null;
  /** What the upstream says it charged, in the same unit; null where it says nothing. */
  readonly providerCostNanoUsd: number | null;
  /** Every attempt in order, the one that answered included. */
  readonly attempts: readonly AttemptRecord[];
}

/** One try at one target. Failed ones are recorded and not billed. */
export interface AttemptRecord {
  readonly provider: string;
  readonly upstreamId: string;
  /** What the target answered for: differs from the call's own with fallbacks. */
  readonly model: string;
  /** Milliseconds from the call's arrival to the attempt's start, and what it took. */
  readonly startMs: number;
  readonly tookMs: number;
  /** Null for the one that answered. */
  readonly error: ErrorName | null;
  /** What its provider said of a failure that was not the request's: without keys, bounded. */
  readonly message: string | null;
  /** Why it was made: the first one, a retry, a restart that skips what was sent, or a continuation of it. */
  readonly how: "first" | "retry" | "restart" | "continue";
  readonly completionTokens: number;
  readonly malformedEvents: number;
}

/** A call that was turned away before it was admitted. */
export interface RefusalRecord {
  readonly id: string;
  readonly at: number;
  readonly endpoint: string;
  readonly model: string | null;
  readonly keyId: string;
  readonly requestId: string | null;
  readonly httpStatus: number;
  readonly error: ErrorName;
  /** Whether the endpoint is one of ours. Others are what strangers typed, and are counted together. */
  readonly known: boolean;
}

/** The gateway's view of the call log. Everything else about it lives in `store/`. */
export interface Ledger {
  /** Resolves once the record is durable as configured; rejects with `GatewayError("unavailable")` when it can't be. */
  reserve(record: ReserveRecord, meter: Readonly<Meter>): Promise<void>;
  /** Ends what `reserve` began. Resolves once durable, or once it is held in memory to be retried; never rejects. */
  settle(record: SettleRecord): Promise<void>;
  /** Never waits, never throws; past a rate it is aggregated and counted. */
  refuse(record: RefusalRecord): void;
  health(): LedgerHealth;
}

export interface LedgerHealth {
  readonly ok: boolean;
  readonly detail: string | null;
  /** Bytes of journal not yet in the database. */
  readonly lagBytes: number;
}

/** What one call asked and was answered, for those whose payloads are kept. */
export interface CapturedCall {
  readonly id: string;
  /** Unix milliseconds of its arrival. */
  readonly at: number;
  /** As it was asked, without names and wishes that are ours, and before limits changed any of it. */
  readonly request: JsonObject;
  /** The whole answer, or what a stream had said when it ended; null where nothing was said. */
  readonly answer: JsonObject | null;
}

/** Keeps what calls asked and were answered, where that is switched on. */
export interface Payloads {
  /** Whether this caller's next call is kept: by its key, or else by the config and by chance. */
  wants(caller: Caller): boolean;
  /** Takes it over. Never waits and never throws; under pressure it is dropped, and counted. */
  keep(captured: CapturedCall): void;
}
