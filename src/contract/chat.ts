import { z } from "zod";
import { type Conflict, generationConflict, without } from "./conflicts.ts";
import { Message } from "./messages.ts";
import { ResponseFormat } from "./response-format.ts";
import { routingFields } from "./routing.ts";
import { extendedSampling, mapOf, standardSampling, streamOptions } from "./sampling.ts";
import {
  LegacyFunction,
  LegacyFunctionChoice,
  Tool,
  ToolCall,
  ToolCallDelta,
  ToolChoice,
} from "./tools.ts";
import { Usage } from "./usage.ts";

const fields = z.looseObject({
  model: z
    .string()
    .min(1)
    .describe("A model id or alias; /v1/models lists them. There is no silent substitution."),
  messages: z.array(Message).min(1).describe("The conversation so far, oldest first."),
  stream: z.boolean().nullish().describe("Send the answer as server-sent events while it is made."),
  stream_options: streamOptions,
  max_tokens: z
    .int()
    .min(1)
    .nullish()
    .describe("The most tokens the answer may have; over the model's limit it is clamped."),
  max_completion_tokens: z.int().min(1).nullish().describe("Newer name of max_tokens."),
  ...standardSampling,
  ...extendedSampling,
  ...routingFields,
  logprobs: z
    .boolean()
    .nullish()
    .describe("Send the log probabilities of the tokens of the answer."),
  top_logprobs: z
    .int()
    .min(0)
    .max(20)
    .nullish()
    .describe("Also those of this many alternatives for each token."),
  continue_final_message: z
    .boolean()
    .nullish()
    .describe(
      "Go on with the last message, which must be an assistant's, instead of answering it.",
    ),
  add_generation_prompt: z
    .boolean()
    .nullish()
    .describe("Whether the model is told to begin an answer. Default true."),
  // OpenAI's takes no null; open engines do, and clients in front of both send one.
  response_format: ResponseFormat.nullish(),
  ocr: z
    .looseObject({ boxes: z.boolean().nullish() })
    .nullish()
    .describe(
      "For models that read text in images: with `boxes` the answer's message has `ocr`, where each line stands and how sure it is.",
    ),
  tools: z.array(Tool).optional(),
  tool_choice: ToolChoice.optional().describe(
    "Whether the model may, must or must not call tools, or which one it must.",
  ),
  parallel_tool_calls: z.boolean().optional(),
  functions: z.array(LegacyFunction).min(1).max(128).optional().describe("Deprecated: use tools."),
  function_call: LegacyFunctionChoice.optional().describe("Deprecated: use tool_choice."),
  reasoning_effort: z.string().nullish(),
  verbosity: z.string().nullish(),
  service_tier: z.string().nullish(),
  modalities: z.array(z.enum(["text", "audio", "image"])).nullish(),
  audio: z
    .looseObject({
      voice: z.union([z.string(), z.looseObject({ id: z.string() })]),
      format: z.enum(["wav", "aac", "mp3", "flac", "opus", "pcm16"]),
    })
    .nullish(),
  prediction: z
    .looseObject({
      type: z.literal("content"),
      content: z.union([
        z.string(),
        z.array(z.looseObject({ type: z.literal("text"), text: z.string() })).min(1),
      ]),
    })
    .nullish(),
  metadata: mapOf(z.string()).nullish(),
  store: z.boolean().nullish(),
  user: z.string().optional(),
  prompt_cache_key: z.string().optional(),
  safety_identifier: z.string().max(64).optional(),
  web_search_options: z.looseObject({}).optional(),
});
/**
 * The body of `POST /v1/chat/completions`. No defaults are filled in: what is absent was not sent.
 * Fields not named here are kept as they came.
 */
export const ChatRequest = fields.check(without(chatConflict));
export type ChatRequest = z.infer<typeof ChatRequest>;

function chatConflict(request: z.infer<typeof fields>): Conflict | null {
  const { logprobs, tool_choice: choice, top_logprobs: top, tools, functions } = request;
  const { max_tokens: most, max_completion_tokens: newer } = request;
  if (most != null && newer != null && most !== newer) {
    return {
      param: "max_tokens",
      message: `'max_tokens' is the older name of 'max_completion_tokens', and the two differ (${most} and ${newer}): send one of them.`,
    };
  }
  if (tools?.length && functions !== undefined) {
    return {
      param: "functions",
      message: "'functions' is the older form of 'tools': send one of them.",
    };
  }
  if (top != null && top > 0 && logprobs !== true) {
    return {
      param: "top_logprobs",
      message: "The 'top_logprobs' parameter is only allowed when 'logprobs' is true.",
    };
  }
  if (choice !== undefined && choice !== "none" && choice !== "auto" && !tools?.length) {
    return {
      param: "tool_choice",
      message: "This 'tool_choice' is only allowed when 'tools' are sent too.",
    };
  }
  return generationConflict(request);
}

export const ChatFinishReason = z.enum([
  "stop",
  "length",
  "tool_calls",
  "content_filter",
  "function_call",
]);
export type ChatFinishReason = z.infer<typeof ChatFinishReason>;

/** Thinking, under the names of DeepSeek's clients and of OpenRouter's. */
const thinking = {
  reasoning_content: z.string().nullish().describe("What the model thought before it answered."),
  reasoning: z.string().nullish().describe("The same, as OpenRouter's clients look for it."),
};

const alternative = { token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() };
const TokenLogprob = z.looseObject({
  ...alternative,
  top_logprobs: z.array(z.looseObject(alternative)),
});
export const ChatLogprobs = z.looseObject({
  content: z.array(TokenLogprob).nullable(),
  refusal: z.array(TokenLogprob).nullable(),
});
export type ChatLogprobs = z.infer<typeof ChatLogprobs>;

/** The answer to a chat request that does not stream. `created` is in Unix seconds. */
export const ChatResponse = z.looseObject({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string().nullish().describe("Null in OpenRouter's dialect only."),
  choices: z.array(
    z.looseObject({
      index: z.int().min(0),
      message: z.looseObject({
        role: z.literal("assistant"),
        content: z.string().nullable(),
        refusal: z.string().nullable(),
        tool_calls: z.array(ToolCall).optional(),
        function_call: z
          .looseObject({ name: z.string(), arguments: z.string() })
          .nullish()
          .describe("Deprecated: what answers `functions`."),
        ...thinking,
      }),
      logprobs: ChatLogprobs.nullable(),
      finish_reason: ChatFinishReason,
    }),
  ),
  usage: Usage.optional(),
});
export type ChatResponse = z.infer<typeof ChatResponse>;

export const ChatDelta = z.looseObject({
  role: z.enum(["developer", "system", "user", "assistant", "tool"]).optional(),
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(ToolCallDelta).optional(),
  ...thinking,
});
export type ChatDelta = z.infer<typeof ChatDelta>;

/** One event of a chat stream before the gateway stamps id, object, created and model on it. */
export const ChatChunkBody = z.looseObject({
  choices: z.array(
    z.looseObject({
      index: z.int().min(0),
      delta: ChatDelta,
      finish_reason: ChatFinishReason.nullable(),
      logprobs: ChatLogprobs.nullish(),
    }),
  ),
  usage: Usage.optional(),
});
export type ChatChunkBody = z.infer<typeof ChatChunkBody>;

/** One event of a chat stream. The last one before `[DONE]` has no choices and carries `usage`, if asked for. */
export const ChatChunk = z.looseObject({
  id: z.string(),
  object: z.literal("chat.completion.chunk"),
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string().optional(),
  ...ChatChunkBody.shape,
});
export type ChatChunk = z.infer<typeof ChatChunk>;
