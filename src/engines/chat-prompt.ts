import { boundedJson } from "../contract/bounds.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Message } from "../contract/messages.ts";
import type { TemplateMessage } from "../lib/chat-template.ts";
import { refuseMessages } from "./prompt-limits.ts";

/**
 * Messages as chat templates read them: content is text, the arguments of tool calls are objects where
 * they are JSON, functions' calls and results are tools', and thinking is `reasoning_content`. Pieces
 * of text are joined by a line break, as in vLLM and llama.cpp. Pictures, sound and files are refused
 * with their place, and so are more messages than an engine takes.
 */
export function templateMessages(messages: readonly Message[]): TemplateMessage[] {
  refuseMessages(messages.length);
  refuseStrayResults(messages);
  return messages.map((message, index) => {
    const content = textOf(message.content, index);
    if (message.role === "function")
      return { role: "tool", name: message.name, tool_call_id: LEGACY_ID, content };
    if (message.role !== "assistant") return { ...message, content };
    const { function_call: called, prefix: _prefix, ...said } = message;
    const calls = message.tool_calls ?? [];
    const all = called == null ? calls : [...calls, legacyCall(called)];
    return {
      ...said,
      ...reasoningOf(message),
      content,
      ...(all.length === 0 ? {} : { tool_calls: all.map(withParsedArguments) }),
    };
  });
}

/** A tool's result answers a call that was made before it, as OpenAI has it. */
function refuseStrayResults(messages: readonly Message[]): void {
  const made = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === "assistant") for (const { id } of message.tool_calls ?? []) made.add(id);
    if (message.role !== "tool" || made.has(message.tool_call_id)) continue;
    throw new GatewayError(
      "invalid_request",
      `No call of a tool before this message has the id '${message.tool_call_id}'.`,
      { param: `messages[${index}].tool_call_id` },
    );
  }
}

/**
 * Whether the last message is the beginning of the answer, as in vLLM, or is called so itself, as in
 * DeepSeek's API and Mistral's; then no header of an answer is added. Refuses it where there is no
 * such message.
 */
export function continuesFinal(request: {
  readonly messages?: readonly Message[] | undefined;
  readonly continue_final_message?: unknown;
  readonly add_generation_prompt?: unknown;
}): boolean {
  const { messages = [], continue_final_message: asked, add_generation_prompt: header } = request;
  const at = messages.length - 1;
  const last = messages[at];
  const prefix = last?.role === "assistant" && last.prefix === true;
  if (!prefix && (asked == null || asked === false)) return false;
  const refuse = (message: string, param: string) =>
    new GatewayError("invalid_request", message, { param });
  if (asked != null && typeof asked !== "boolean")
    throw refuse("'continue_final_message' is true or false.", "continue_final_message");
  const name = prefix ? "prefix" : "continue_final_message";
  if (prefix && asked === false)
    throw refuse(
      "'continue_final_message' is false, and the last message's 'prefix' is true: they say the same thing.",
      "continue_final_message",
    );
  if (header === true)
    throw refuse(
      `'${name}' and 'add_generation_prompt' can't both be true.`,
      "add_generation_prompt",
    );
  if (last?.role !== "assistant")
    throw refuse(
      "'continue_final_message' needs an assistant's message at the end: it is the one that is continued.",
      `messages[${at}].role`,
    );
  if (last.tool_calls !== undefined && last.tool_calls.length > 0)
    throw refuse("A message that calls tools can't be continued.", `messages[${at}].tool_calls`);
  return true;
}

function textOf(content: Message["content"], message: number): string {
  if (typeof content === "string") return content;
  const texts = (content ?? []).map((part, index) => {
    if (part.type === "text") return part.text;
    if (part.type === "refusal") return part.refusal;
    throw new GatewayError(
      "invalid_request",
      `This model takes no ${NOUNS[part.type]}, only text.`,
      { param: `messages[${message}].content[${index}]`, fault: "unsupported" },
    );
  });
  return texts.join("\n");
}

const NOUNS = {
  image_url: "images",
  input_audio: "audio",
  file: "files",
  video_url: "video",
} as const;

type ToolCalls = NonNullable<Extract<Message, { role: "assistant" }>["tool_calls"]>;

const LEGACY_ID = "function_call";

/** The deprecated `function_call` had no id: the result that follows has none either. */
function legacyCall(called: {
  readonly name: string;
  readonly arguments: string;
}): ToolCalls[number] {
  const { name, arguments: given } = called;
  return { id: LEGACY_ID, type: "function", function: { name, arguments: given } };
}

/** OpenRouter's name for it is another one. */
function reasoningOf(message: { readonly [field: string]: unknown }): object {
  const { reasoning, reasoning_content: content } = message;
  return content == null && typeof reasoning === "string" ? { reasoning_content: reasoning } : {};
}

function withParsedArguments(call: ToolCalls[number]): object {
  if (call.type !== "function") return call;
  const parsed = parseObject(call.function.arguments);
  return parsed === null ? call : { ...call, function: { ...call.function, arguments: parsed } };
}

/** The object a text is the JSON of; null when it is anything else, as a model's own calls may be. */
function parseObject(text: string): object | null {
  const value = boundedJson(text);
  return typeof value === "object" && !Array.isArray(value) ? value : null;
}
