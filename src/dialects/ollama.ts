import { ChatRequest } from "../contract/chat.ts";
import { GatewayError } from "../contract/errors.ts";
import { unknownFields } from "../contract/unknown-fields.ts";
import { JsonLines } from "../lib/json-lines.ts";
import type { JsonObject, ProviderSettings, Target } from "../types.ts";
import { cannotContinue, withPrefill, withPromptPrefill } from "./continuation.ts";
import { answerLimit } from "./max-tokens.ts";
import { ollamaAnswer } from "./ollama-answer.ts";
import { ollamaFields, ollamaMessages, thinkOf } from "./ollama-request.ts";
import { noSuchOperation, withLimit, withoutDeveloper } from "./openai.ts";
import { translateParameters } from "./parameters.ts";
import type { Dialect, Generation } from "./wire.ts";

/** Ollama's own API: `/api/chat`, and `/api/generate` with text as it is. */
export function ollamaDialect(provider: ProviderSettings): Dialect {
  const { paths, quirks, continuation } = provider.file;

  const translated = (target: Target, operation: Generation, request: JsonObject) => {
    const { tool_choice: choice, ...rest } = request;
    const asked: JsonObject = { ...rest };
    // No tools at all is what Ollama can do of it.
    if (choice === "none") delete asked.tools;
    else if (choice !== undefined) asked.tool_choice = choice;
    if (operation === "completions") {
      // A text completion's number of alternatives has no equivalent here.
      if (typeof asked.logprobs === "number") asked.response_logprobs = asked.logprobs;
      delete asked.logprobs;
    }
    const first = translateParameters(provider, target, asked);
    const second = ollamaFields(first.body, operation === "chat");
    const dropped = [...first.dropped, ...second.dropped].map((name) =>
      name === "response_logprobs" ? "logprobs" : name,
    );
    return { body: second.body, dropped };
  };

  return {
    request: (target, operation, input, context) => {
      const path = paths[operation];
      if (path === false) throw noSuchOperation(provider, operation);
      const { prefill } = context;
      if (prefill !== null && operation === "chat" && continuation.prefill !== "assistant") {
        throw cannotContinue(provider, "it takes no prefill");
      }
      const limit = answerLimit(target, input, prefill);
      const { body, dropped } = translated(target, operation, withLimit(input, limit));
      // Messages are written anew: what is in them and has no name there is not sent.
      const unsent = unknownFields(ChatRequest.shape.messages, input.messages, "messages");
      for (const name of [...dropped, ...unsent]) context.dropped.add(name);
      if (typeof input.prompt !== "string" && operation === "completions") {
        throw new GatewayError(
          "invalid_request",
          `'${provider.id}' takes one text as its prompt.`,
          {
            param: "prompt",
            fault: "unsupported",
          },
        );
      }
      if (body.think !== undefined) body.think = thinkOf(body.think);
      const options = body.options;
      if (typeof options === "object" && options !== null && "stop" in options) {
        // A list here, also for one.
        body.options = { ...options, stop: [options.stop].flat() };
      }
      const common = { ...body, model: target.upstreamId, stream: input.stream === true };
      let sent: JsonObject;
      if (operation === "chat") {
        const roles = quirks.developer_role ? body.messages : withoutDeveloper(body.messages);
        const begun = prefill === null ? roles : withPrefill(roles, prefill);
        sent = { ...common, messages: ollamaMessages(provider, begun) };
      } else {
        const whole = { ...common, raw: true };
        sent = prefill === null ? whole : withPromptPrefill(provider, whole, prefill);
      }
      const choice =
        provider.file.parameters.guided_choice === "format:choice" &&
        Array.isArray(input.guided_choice);
      return { path, body: sent, choices: 1, adapt: ollamaAnswer(choice) };
    },
    cutter: () => new JsonLines(),
    unsupported: (target, operation, input) => translated(target, operation, input).dropped,
  };
}
