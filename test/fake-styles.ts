/** How the fake upstream's dialects differ in the same answer: data only. */

export type Dialect =
  | "openai"
  | "vllm"
  | "llamacpp"
  | "sglang"
  | "ollama"
  | "tabbyapi"
  | "featherless"
  | "arli"
  | "openrouter"
  | "hybridinference"
  | "flexai"
  | "sdwebui";

export interface Style {
  readonly contentType: string;
  readonly idPrefix: string;
  /** Also on the whole answer. */
  readonly chunk: object;
  readonly choice: object;
  readonly message: object;
  readonly finishDelta: object;
  readonly roleContent: string | null;
  readonly roleOnEvery: boolean;
  /** `usage: null` beside every piece. */
  readonly usageNull: boolean;
  /** A choice beside the usage, where others have an empty list. */
  readonly usageChoice: boolean;
  readonly withUsage: object;
  readonly reasoning: "reasoning" | "reasoning_content";
  readonly comment: string | null;
  readonly done: string;
}

const OPENAI: Style = {
  contentType: "text/event-stream",
  idPrefix: "chatcmpl-",
  chunk: {},
  choice: { logprobs: null },
  message: { refusal: null },
  finishDelta: {},
  roleContent: "",
  roleOnEvery: false,
  usageNull: false,
  usageChoice: false,
  withUsage: {},
  reasoning: "reasoning_content",
  comment: null,
  done: "data: [DONE]\n\n",
};

/** vLLM's chat_completion/protocol.py: fields that nobody asked for are there and null. */
const VLLM: Style = {
  ...OPENAI,
  contentType: "text/event-stream; charset=utf-8",
  chunk: { prompt_token_ids: null },
  choice: { logprobs: null, stop_reason: null, token_ids: null },
  message: {
    refusal: null,
    annotations: null,
    audio: null,
    function_call: null,
    tool_calls: [],
    reasoning: null,
  },
  finishDelta: { content: "" },
  reasoning: "reasoning",
};

export const STYLES: Record<Dialect, Style> = {
  openai: OPENAI,
  vllm: VLLM,
  arli: {
    ...VLLM,
    chunk: {},
    choice: { logprobs: null, stop_reason: null },
    reasoning: "reasoning_content",
  },
  featherless: { ...OPENAI, message: {}, choice: {} },
  hybridinference: { ...OPENAI, message: {}, choice: {} },
  flexai: OPENAI,
  /** It writes nothing. */
  sdwebui: OPENAI,
  /** Its own engine's clock beside the usage; `content: null` beside the role. */
  llamacpp: {
    ...OPENAI,
    choice: {},
    message: {},
    chunk: { system_fingerprint: "b6942-1ae74882f" },
    roleContent: null,
    withUsage: {
      timings: {
        cache_n: 0,
        prompt_n: 12,
        prompt_ms: 31.2,
        prompt_per_second: 384.6,
        predicted_n: 40,
        predicted_ms: 800.1,
      },
    },
  },
  sglang: {
    ...OPENAI,
    choice: { logprobs: null, matched_stop: null },
    message: { reasoning_content: null, tool_calls: null },
    finishDelta: { role: null, content: null, reasoning_content: null, tool_calls: null },
    usageNull: true,
  },
  /** Only through its OpenAI-shaped endpoint; its own is `ollamaVoice`. */
  ollama: {
    ...OPENAI,
    choice: {},
    message: {},
    chunk: { system_fingerprint: "fp_ollama" },
    reasoning: "reasoning",
  },
  tabbyapi: { ...OPENAI, choice: {}, message: {}, roleOnEvery: true, roleContent: "" },
  openrouter: {
    ...OPENAI,
    idPrefix: "gen-",
    chunk: { provider: "DeepInfra" },
    choice: { logprobs: null, native_finish_reason: null },
    message: { refusal: null, reasoning: null },
    finishDelta: { content: "" },
    roleOnEvery: true,
    usageChoice: true,
    reasoning: "reasoning",
    comment: ": OPENROUTER PROCESSING\n\n",
  },
};
