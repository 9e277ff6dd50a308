import { z } from "zod";
import { ChatRequest } from "./chat.ts";
import { without } from "./conflicts.ts";
import { Message } from "./messages.ts";

/** What a chat's prompt is made of besides its messages. */
const { add_generation_prompt, continue_final_message, chat_template_kwargs } = ChatRequest.shape;
const { tools, tool_choice, functions, function_call, response_format } = ChatRequest.shape;
const { reasoning_effort } = ChatRequest.shape;
const conversation = {
  ...{ add_generation_prompt, continue_final_message, chat_template_kwargs },
  ...{ tools, tool_choice, functions, function_call, response_format, reasoning_effort },
};

const SOURCES = ["input", "text", "prompt", "messages"] as const;

/**
 * The body of `POST /v1/tokenize`: exactly one of `input`, `text`, `prompt` and `messages`; with
 * messages also what else of a chat is in its prompt.
 */
export const TokenizeRequest = z
  .looseObject({
    model: z.string().min(1),
    input: z.string().optional(),
    text: z.string().optional(),
    prompt: z.string().optional(),
    messages: z.array(Message).min(1).optional(),
    add_special_tokens: z.boolean().nullish(),
    return_token_strs: z.boolean().nullish().describe("They are always there."),
    ...conversation,
  })
  .check(
    without((request) => {
      const sent = SOURCES.filter((source) => request[source] !== undefined);
      if (sent.length === 1) return null;
      const rule = "send exactly one of 'input', 'text', 'prompt' and 'messages'";
      return sent[1] === undefined
        ? { param: "input", message: `Missing required parameter: ${rule}.` }
        : { param: sent[1], message: `Too many parameters: ${rule}, not ${sent.join(", ")}.` };
    }),
  );
export type TokenizeRequest = z.infer<typeof TokenizeRequest>;

/**
 * The names of what a request sends in vain, where of a chat's fields only `read` are read: those
 * that a prompt depends on, and those that nothing here has. The other fields of a chat change no token.
 */
export function unreadOfTokenize(request: TokenizeRequest, read: ReadonlySet<string>): string[] {
  return Object.entries(request)
    .filter(([name, value]) => {
      if (value === null || value === undefined || read.has(name)) return false;
      return (
        Object.hasOwn(conversation, name) ||
        !(Object.hasOwn(TokenizeRequest.shape, name) || Object.hasOwn(ChatRequest.shape, name))
      );
    })
    .map(([name]) => name);
}

/** What of a chat is read where all of it is. */
export const WHOLE_CONVERSATION: ReadonlySet<string> = new Set(Object.keys(conversation));

/** `count` and `length` are the same number; `max_model_len` is the model's context in tokens. */
export const TokenizeResponse = z.looseObject({
  object: z.literal("tokens"),
  model: z.string(),
  tokens: z.array(z.int()),
  count: z.int().min(0),
  length: z.int().min(0),
  max_model_len: z.int().min(1),
  token_strs: z.array(z.string()),
});
export type TokenizeResponse = z.infer<typeof TokenizeResponse>;

/** The body of `POST /v1/detokenize`. */
export const DetokenizeRequest = z.looseObject({
  model: z.string().min(1),
  tokens: z.array(z.int().min(0)),
});
export type DetokenizeRequest = z.infer<typeof DetokenizeRequest>;

/** `text` and `prompt` are the same text, under Covey's and vLLM's name. */
export const DetokenizeResponse = z.looseObject({
  object: z.literal("text"),
  model: z.string(),
  text: z.string(),
  prompt: z.string(),
});
export type DetokenizeResponse = z.infer<typeof DetokenizeResponse>;
