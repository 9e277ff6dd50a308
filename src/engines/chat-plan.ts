import type { ChatRequest } from "../contract/chat.ts";
import { GatewayError } from "../contract/errors.ts";
import type { AttemptContext, Model } from "../types.ts";
import type { AnswerRules } from "./chat-answer.ts";
import type { ChatFormat } from "./chat-format.ts";
import { continuesFinal, templateMessages } from "./chat-prompt.ts";
import type { GuideCheck, PlacedSpec } from "./guided/check.ts";
import { type AskedGuide, guideAsked } from "./guided/request.ts";
import type { GuideSpec } from "./guided/spec.ts";
import { harmonyGuide } from "./harmony/guide.ts";
import { harmonyMessages } from "./harmony/messages.ts";
import { inOurNames } from "./other-names.ts";
import { samplingOf, smaller, stopsOf, unreadFields, unsupportedParameters } from "./parameters.ts";
import type { GenerateOptions } from "./protocol.ts";
import { hidesReasoning, reasoningVariables, refusesThinking } from "./reasoning/asked.ts";
import { endingOf, templateVariables } from "./template-variables.ts";
import { opensCall } from "./tools/begun-call.ts";
import { fittingFormat } from "./tools/fitting.ts";
import { announced, argumentsSchema, toolGuide } from "./tools/guide.ts";
import { toolPrompt } from "./tools/prompt.ts";
import { HERMES, triggerOf } from "./tools/syntax.ts";
import { type ToolUse, toolUse } from "./tools/use.ts";

/** A chat request, checked, as far as it can be before its model is there. */
export interface ChatPlan {
  /** What is still to be tried; null where nothing is. */
  readonly check: GuideCheck | null;
  /** What the child is asked, once it is known how its model writes. */
  options(format: ChatFormat): GenerateOptions;
  /** How its answer is read. */
  rules(format: ChatFormat): Omit<AnswerRules, "thinking">;
  readonly scored: boolean;
  /** Asked by `functions`. */
  readonly legacy: boolean;
  /** The answer has to be a call. */
  readonly calling: boolean;
  readonly showsReasoning: boolean;
}

/** @throws GatewayError 400 with the place of what can't be done */
export function chatPlan(
  sent: ChatRequest,
  file: Model["file"],
  context: Pick<AttemptContext, "prefill" | "dropped">,
  randomSeed: number,
): ChatPlan {
  for (const name of unsupportedParameters(sent)) context.dropped.add(name);
  // Of completions; vLLM's chats would put the last message in front of the answer.
  if (sent.echo === true) context.dropped.add("echo");
  const request = { ...inOurNames(sent), ...endingOf(sent) };
  const { prefill } = context;
  const continueFinal = continuesFinal(request);
  const messages = templateMessages(request.messages);
  const unread = unreadFields(sent);
  for (const name of unread) context.dropped.add(name);
  const use = toolUse(request);
  const asked = guideAsked(request);
  const guide = asked?.spec ?? null;
  const sampling = samplingOf(request, randomSeed, file.defaults);
  const own = stopsOf(request, []);
  const mostAsked = request.max_completion_tokens ?? request.max_tokens ?? null;
  const base = {
    prefill,
    sampling,
    maxTokens: smaller(mostAsked, file.max_output ?? null),
    reproducible: request.seed != null,
    logprobs: request.logprobs === true ? (request.top_logprobs ?? 0) : null,
    echo: false,
  };
  const begun = continueFinal || prefill !== null;
  // Only words are ended by a stop string: where an answer may be anything else, its reader looks for
  // them. Of one that goes on elsewhere's, the child knows what of a stop string is there already.
  const isPlain = ({ thinking, harmony }: ChatFormat) =>
    prefill !== null || (use === null && thinking === null && harmony === null);
  const mayCall = use !== null && !use.required;
  const unthinking = refusesThinking(request);
  /** What does not come in thinking that a form, or a call that must be, follows; null where none may be. */
  const thinksFirst = (format: ChatFormat): readonly string[] | null => {
    if (format.thinking === null || begun || (guide === null && use?.required !== true))
      return null;
    if (unthinking.length > 0) {
      for (const name of unthinking) context.dropped.delete(name);
      return null;
    }
    const trigger = use === null ? "" : triggerOf(fitting(format).tools.syntax);
    return trigger === "" ? [] : [trigger];
  };
  const known = new Map<ChatFormat, ChatFormat>();
  const fitting = (format: ChatFormat): ChatFormat => {
    const found = known.get(format) ?? { ...format, tools: fittingFormat(format.tools, use) };
    known.set(format, found);
    return found;
  };
  return {
    check: checkOf(use, asked),
    scored: base.logprobs !== null,
    legacy: use?.legacy === true,
    calling: use?.required === true,
    showsReasoning: !hidesReasoning(request),
    rules: (format) => ({
      format: fitting(format),
      use,
      begun,
      thinksFirst: thinksFirst(format) !== null,
      formAtOnce: guide !== null && thinksFirst(format) === null,
      stop: isPlain(format) ? [] : [...own, ...(mayCall ? file.stop : [])],
      thoughtStop: isPlain(format) || !mayCall ? [] : file.stop,
      includeStop: sampling.includeStop,
      minTokens: sampling.minTokens,
    }),
    options: (modelFormat) => {
      const format = fitting(modelFormat);
      const { harmony } = format;
      if (continueFinal && use !== null && harmony === null)
        refuseBegunCall(format, messages.at(-1)?.content ?? "", messages.length - 1);
      const first = thinksFirst(format);
      const guided =
        harmony === null
          ? guideFor(format, use, guide, first !== null)
          : { guide: harmonyGuide(harmony, use, guide, begun), opening: null };
      const told = harmony === null ? messages : harmonyMessages(messages);
      const prompt = toolPrompt(format.tools, told, use);
      const { variables, honoured } = reasoningVariables(request, format.variables);
      const given = templateVariables(request, modelFormat.words, use !== null);
      const read = unread.filter((name) => isRead(name, modelFormat.words));
      for (const name of [...honoured, ...read]) context.dropped.delete(name);
      for (const name of given.unread) context.dropped.add(name);
      // The model's own are for words and thinking: what has a form ends where the form does, whatever is
      // said in it, and so does a call.
      const ofModel = guided.guide === null || (mayCall && isPlain(format)) ? file.stop : [];
      return {
        ...base,
        prompt: {
          kind: "chat",
          ...prompt,
          addGenerationPrompt: !continueFinal && request.add_generation_prompt !== false,
          continueFinal,
          opening: guided.opening,
          thinksFirst: first,
          variables: { ...variables, ...given.variables },
        },
        stop: isPlain(format) ? [...own, ...ofModel] : ofModel,
        guide: guided.guide,
      };
    },
  };
}

/** A call is held to its tool from its first character on. */
function refuseBegunCall({ tools }: ChatFormat, text: string, index: number): void {
  if (!opensCall(tools.syntax, text)) return;
  throw new GatewayError(
    "invalid_request",
    "A message that has begun to call a tool can't be continued: end it before the call, or name the tool in 'tool_choice'.",
    { param: `messages[${index}].content` },
  );
}

/** Whether a field of a message that the contract does not know is one that the template may read. */
function isRead(path: string, words: readonly string[]): boolean {
  return path.startsWith("messages.") && words.includes(path.slice(path.lastIndexOf(".") + 1));
}

/** All tools, and what an answer without a call must be, as one guide; of each is told what is wrong in it. */
function checkOf(use: ToolUse | null, asked: AskedGuide | null): GuideCheck | null {
  if (use === null) return asked === null ? null : { whole: asked, parts: [] };
  const calls = toolGuide(HERMES, use, null).guide;
  const spec: GuideSpec = asked === null ? calls : { kind: "either", parts: [calls, asked.spec] };
  const ofTools = use.tools.map(
    (tool): PlacedSpec => ({
      spec: { kind: "json_schema", schema: argumentsSchema(tool) },
      path: tool.path,
    }),
  );
  return {
    whole: { spec, path: use.legacy ? "functions" : "tools" },
    parts: asked === null ? ofTools : [asked, ...ofTools],
  };
}

/**
 * What an answer must be, and begin with. Where it has a form from its beginning that may follow its
 * thinking; one that could begin with a call which nothing announces has none.
 */
function guideFor(
  format: ChatFormat,
  use: ToolUse | null,
  guide: GuideSpec | null,
  thinksFirst: boolean,
): { readonly guide: GuideSpec | null; readonly opening: string | null } {
  if (use === null) return { guide, opening: guide === null || thinksFirst ? null : "" };
  const calls = toolGuide(format.tools.syntax, use, guide);
  if (thinksFirst) return { guide: announced(calls), opening: null };
  const fromBeginning = guide !== null || format.tools.syntax.begin === "";
  return fromBeginning ? { ...calls, opening: calls.opening ?? "" } : calls;
}
