import type { ChatRequest } from "../contract/chat.ts";
import type { AttemptContext, Model } from "../types.ts";
import type { AnswerRules } from "./chat-answer.ts";
import type { ChatFormat } from "./chat-format.ts";
import { continuesFinal, templateMessages } from "./chat-prompt.ts";
import { checkGuide, guideOf } from "./guided/request.ts";
import type { GuideSpec } from "./guided/spec.ts";
import { samplingOf, smaller, stopsOf, unsupportedParameters } from "./parameters.ts";
import type { GenerateOptions } from "./protocol.ts";
import { hidesReasoning, reasoningVariables } from "./reasoning/asked.ts";
import { argumentsSchema, toolGuide } from "./tools/guide.ts";
import { toolPrompt } from "./tools/prompt.ts";
import { type ToolUse, toolUse } from "./tools/use.ts";

/** A chat request, checked, as far as it can be before its model is there. */
export interface ChatPlan {
  /** What the child is asked, once it is known how its model writes. */
  options(format: ChatFormat): GenerateOptions;
  readonly rules: Omit<AnswerRules, "format" | "thinking">;
  readonly scored: boolean;
  /** Asked by `functions`. */
  readonly legacy: boolean;
  readonly showsReasoning: boolean;
}

/** @throws GatewayError 400 with the place of what can't be done */
export function chatPlan(
  request: ChatRequest,
  file: Model["file"],
  context: AttemptContext,
  randomSeed: number,
): ChatPlan {
  for (const name of unsupportedParameters(request)) context.dropped.add(name);
  const { prefill } = context;
  const continueFinal = continuesFinal(request);
  const messages = templateMessages(request.messages);
  const use = toolUse(request);
  if (use !== null) checkTools(use);
  const guide = guideOf(request);
  const sampling = samplingOf(request, randomSeed, file.defaults);
  const own = stopsOf(request, []);
  const asked = request.max_completion_tokens ?? request.max_tokens ?? null;
  const base = {
    prefill,
    sampling,
    maxTokens: smaller(asked, file.max_output ?? null),
    reproducible: request.seed != null,
    logprobs: request.logprobs === true ? (request.top_logprobs ?? 0) : null,
    echo: false,
  };
  const begun = continueFinal || prefill !== null;
  // Of an answer that goes on elsewhere's, the child knows what of a stop string is there already.
  const inChild = prefill !== null;
  return {
    scored: base.logprobs !== null,
    legacy: use?.legacy === true,
    showsReasoning: !hidesReasoning(request),
    rules: { use, begun, stop: inChild ? [] : own, includeStop: sampling.includeStop },
    options: (format) => {
      const guided = guideFor(format, use, guide);
      const prompt = toolPrompt(format.tools, messages, use);
      const { variables, honoured } = reasoningVariables(request, format.variables);
      for (const name of honoured) context.dropped.delete(name);
      return {
        ...base,
        prompt: {
          kind: "chat",
          ...prompt,
          addGenerationPrompt: !continueFinal && request.add_generation_prompt !== false,
          continueFinal,
          opening: guided.opening,
          variables: { ...variables, ...request.chat_template_kwargs },
        },
        stop: inChild ? [...own, ...file.stop] : file.stop,
        guide: guided.guide,
      };
    },
  };
}

/** Each tool's own schema, so that what can't be enforced is told with its place. */
function checkTools(use: ToolUse): void {
  for (const tool of use.tools)
    if (tool.parameters !== null)
      checkGuide({ kind: "json_schema", schema: argumentsSchema(tool) }, tool.path);
}

/** What an answer must be, and begin with. One that has a form from its beginning has no thinking. */
function guideFor(
  format: ChatFormat,
  use: ToolUse | null,
  guide: GuideSpec | null,
): { readonly guide: GuideSpec | null; readonly opening: string | null } {
  if (use === null) return { guide, opening: guide === null ? null : "" };
  const calls = toolGuide(format.tools.syntax, use, guide);
  checkGuide(calls.guide, use.legacy ? "functions" : "tools");
  return guide === null ? calls : { ...calls, opening: calls.opening ?? "" };
}
