import { GatewayError } from "../contract/errors.ts";
import type { JsonObject, ProviderSettings, Target } from "../types.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import type { DialectOptions } from "./wire.ts";

/** A begun answer that can't be gone on with here, whatever was declared. */
export function cannotContinue({ id }: ProviderSettings, why: string): GatewayError {
  return new GatewayError("upstream_error", `'${id}' can't go on with a begun answer: ${why}.`, {
    fault: "unsupported",
  });
}

/** The conversation with the beginning of the answer at its end. */
export function withPrefill(messages: unknown, prefill: string): Fields[] {
  const all = (Array.isArray(messages) ? messages : []).map(fieldsOf).filter((m) => m !== null);
  const last = all.at(-1);
  // The caller's own beginning: servers take one assistant message at the end, not two.
  if (last?.role === "assistant" && typeof last.content === "string") {
    return [...all.slice(0, -1), { ...last, content: last.content + prefill }];
  }
  return [...all, { role: "assistant", content: prefill }];
}

/**
 * A last message that is called the beginning of the answer (`prefix`, DeepSeek's and Mistral's), in
 * the server's own form where that is known; where it is not, as it came.
 */
export function withPrefix({ file }: ProviderSettings, body: JsonObject): JsonObject {
  const all = Array.isArray(body.messages) ? body.messages : [];
  const last = fieldsOf(all.at(-1));
  if (last === null || last.prefix !== true) return body;
  const { prefix: _prefix, ...begun } = last;
  const before = all.slice(0, -1);
  switch (file.continuation.prefill) {
    case "assistant":
      return { ...body, messages: [...before, begun] };
    case "continue_final_message":
      return {
        ...body,
        messages: [...before, begun],
        continue_final_message: true,
        add_generation_prompt: false,
      };
    case "response_prefix":
      if (typeof begun.content !== "string") return body;
      return { ...body, messages: before, response_prefix: begun.content };
    case "none":
      return body;
  }
}

/** Tells a server of OpenAI's dialect to go on after `prefill`, in its own way. */
export function continueChat(
  provider: ProviderSettings,
  body: JsonObject,
  prefill: string,
): JsonObject {
  switch (provider.file.continuation.prefill) {
    case "assistant":
      return { ...body, messages: withPrefill(body.messages, prefill) };
    case "continue_final_message":
      return {
        ...body,
        messages: withPrefill(body.messages, prefill),
        continue_final_message: true,
        add_generation_prompt: false,
      };
    case "response_prefix":
      // TabbyAPI puts it after the template; its answer does not repeat it.
      return { ...body, response_prefix: `${textOf(body.response_prefix)}${prefill}` };
    case "none":
      throw cannotContinue(provider, "it takes no prefill");
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Fields of a chat that mean nothing, or something else, to `/completions`. */
const CHAT_ONLY = [
  ...["messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"],
  ...["response_format", "logprobs", "top_logprobs", "reasoning_effort", "chat_template_kwargs"],
  ...[
    "continue_final_message",
    "add_generation_prompt",
    "modalities",
    "audio",
    "prediction",
    "verbosity",
    "web_search_options",
  ],
];

/** A chat as a completion of its rendered text and the beginning of its answer. */
export function asCompletion(
  provider: ProviderSettings,
  target: Target,
  request: JsonObject,
  prefill: string,
  options: DialectOptions,
): JsonObject {
  const rendered = options.renderChat?.(target, request) ?? null;
  if (rendered === null) throw cannotContinue(provider, "the model's chat template is not known");
  const body: JsonObject = { ...request, prompt: rendered + prefill };
  for (const name of CHAT_ONLY) delete body[name];
  const { max_completion_tokens: limit } = body;
  delete body.max_completion_tokens;
  if (limit !== undefined) body.max_tokens = limit;
  return body;
}

/** The prompts of a completion, each with the beginning of its answer. */
export function withPromptPrefill(
  provider: ProviderSettings,
  body: JsonObject,
  prefill: string,
): JsonObject {
  if (typeof body.prompt !== "string") {
    throw cannotContinue(provider, "the prompt is not one text");
  }
  return { ...body, prompt: body.prompt + prefill };
}

/** A completion's event, or whole answer, as a chat's. */
export function completionAsChat(fields: Fields, whole: boolean): Fields {
  if (!Array.isArray(fields.choices)) return fields;
  const choices = fields.choices.map((item) => {
    const { text, logprobs: _logprobs, ...choice } = fieldsOf(item) ?? {};
    const said = { content: text ?? "" };
    return whole ? { ...choice, message: said } : { ...choice, delta: said };
  });
  return { ...fields, choices };
}
