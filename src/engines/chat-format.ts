import { ChatTemplate } from "../lib/chat-template.ts";
import { HARMONY_VARIABLES, type Harmony, speaksHarmony } from "./harmony/marks.ts";
import { REASONING_VARIABLES } from "./reasoning/asked.ts";
import { detectThinking, type Thinking } from "./reasoning/markers.ts";
import { detectTools } from "./tools/detect.ts";
import { type CallShape, PROMPTED, type ToolFormat } from "./tools/syntax.ts";

/** How a model writes what is not for its reader's eyes: calls of tools, and its thinking. */
export interface ChatFormat {
  readonly tools: ToolFormat;
  readonly thinking: Thinking | null;
  /** Of the variables that steer thinking, those that the template reads. */
  readonly variables: readonly string[];
  /** All words of the template's source: a name that is not among them says nothing to it. */
  readonly words: readonly string[];
  /** It speaks in channels: that takes the place of marks around thinking and calls. */
  readonly harmony: Harmony | null;
}

const WORD = /[A-Za-z_]\w*/g;

/** Of a model without a chat template. */
export const NO_FORMAT: ChatFormat = {
  tools: PROMPTED,
  thinking: null,
  variables: [],
  words: [],
  harmony: null,
};

/**
 * What a template tells of its model. `declared` is what the model's file says of thinking: its marks,
 * false for none, null to find out.
 */
export function chatFormat(
  source: string,
  tokens: { readonly bosToken: string; readonly eosToken: string },
  declared: Thinking | false | null,
): ChatFormat {
  const harmony = speaksHarmony(source) ? { seal: "" } : null;
  const thinking =
    harmony !== null || declared === false ? null : (declared ?? detectThinking(source));
  const asked = harmony === null ? REASONING_VARIABLES : HARMONY_VARIABLES;
  const variables = asked.filter((name) => new RegExp(`\\b${name}\\b`).test(source));
  const tools = detectTools(new ChatTemplate(source), tokens);
  const words = [...new Set(source.match(WORD))];
  return { tools: withoutThinking(tools, thinking), thinking, variables, words, harmony };
}

/** Some templates write that there was no thinking before a call: that does not announce one. */
function withoutThinking(tools: ToolFormat, thinking: Thinking | null): ToolFormat {
  const { begin } = tools.syntax;
  const at = thinking === null ? -1 : begin.lastIndexOf(thinking.close);
  if (thinking === null || at === -1) return tools;
  const after = begin.slice(at + thinking.close.length).trimStart();
  return { ...tools, syntax: { ...tools.syntax, begin: after } };
}

/** All texts that stand around calls and thinking, tokens of their own in most vocabularies. */
export function markersIn({ tools, thinking, harmony }: ChatFormat): string[] {
  if (harmony !== null) return [];
  const { begin, between, end, shape } = tools.syntax;
  const around = [begin, between ?? "", end, ...marksIn(shape)];
  return [...around, thinking?.open ?? "", thinking?.close ?? ""].filter((text) => text !== "");
}

function marksIn(shape: CallShape): string[] {
  if (shape.kind === "object") return [];
  if (shape.kind === "named") return [shape.middle];
  return [shape.afterName, shape.beforeKey, shape.afterKey, shape.afterValue];
}
