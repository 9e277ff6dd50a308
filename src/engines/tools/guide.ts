import type { GuideSpec } from "../guided/spec.ts";
import { type CallSyntax, triggerOf } from "./syntax.ts";
import type { FunctionTool, ToolUse } from "./use.ts";

/** What is asked of a tool that says nothing of its arguments. */
const NO_ARGUMENTS = { type: "object", properties: {}, additionalProperties: false };

/** Words that can't be taken for a call which nothing announces. */
const WORDS = "\\s*([^\\s{][\\s\\S]*)?";

/** The most calls one answer may have: a guide that lets a model go on for ever is not one. */
const MOST_CALLS = 16;

/** A tool's arguments: always an object, also where its schema doesn't say so. */
export function argumentsSchema({ parameters }: Pick<FunctionTool, "parameters">): object {
  if (parameters === null) return NO_ARGUMENTS;
  const says = ["type", "$ref", "anyOf", "allOf", "oneOf", "enum", "const"];
  return says.some((keyword) => keyword in parameters)
    ? parameters
    : { ...parameters, type: "object" };
}

/** What the calls of an answer must be, in the form that the model writes them in. */
export interface ToolGuide {
  readonly guide: GuideSpec;
  /** What the prompt ends with, so that the answer begins with the call itself; null to end as ever. */
  readonly opening: string | null;
}

/**
 * Guides an answer that has to be a call from its first token on, and one that may be from what
 * announces a call. `otherwise`: what an answer must be that is none.
 */
export function toolGuide(
  syntax: CallSyntax,
  use: ToolUse,
  otherwise: GuideSpec | null,
): ToolGuide {
  const calls = callsOf(syntax, use);
  const one = oneOf(syntax, use);
  const text = (value: string): GuideSpec => ({ kind: "literal", text: value });
  const { begin, end } = syntax;
  if (use.required) return { guide: sequence(calls, text(end)), opening: begin };
  if (otherwise !== null || begin === "") {
    const words: GuideSpec = otherwise ?? { kind: "regex", pattern: WORDS };
    const call = sequence(text(begin), calls, text(end));
    return { guide: { kind: "either", parts: [call, words] }, opening: null };
  }
  const trigger = triggerOf(syntax);
  const rest = begin.trimStart().slice(trigger.length);
  const apart = announcesEach(syntax);
  const guide = sequence(text(rest), apart ? one : calls, text(end));
  return {
    guide: {
      kind: "triggered",
      triggers: [{ begin: trigger, guide, end: "" }],
      freeText: true,
      least: 0,
      most: use.parallel && syntax.between !== null ? null : 1,
      separator: "",
    },
    opening: null,
  };
}

/** The same where the prompt does not end with what the answer has to open with. */
export function announced({ guide, opening }: ToolGuide): GuideSpec {
  return opening === null ? guide : sequence({ kind: "literal", text: opening }, guide);
}

/** Whether each of several calls has its own beginning and end; else they are a list in one. */
function announcesEach({ begin, between, end }: CallSyntax): boolean {
  if (between === null) return true;
  const spaceless = between.replace(/\s/g, "");
  return spaceless === `${end}${begin}`.replace(/\s/g, "");
}

function oneOf(syntax: CallSyntax, use: ToolUse): GuideSpec {
  const tools = use.tools.filter(({ name }) => use.callable.has(name));
  return either(tools.map((tool) => callOf(syntax, tool)));
}

/** One call, or several where the answer may have them. */
function callsOf(syntax: CallSyntax, use: ToolUse): GuideSpec {
  const one = oneOf(syntax, use);
  if (!use.parallel || syntax.between === null) return one;
  return {
    kind: "triggered",
    triggers: [{ begin: "", guide: one, end: "" }],
    freeText: false,
    least: 1,
    most: MOST_CALLS,
    separator: syntax.between,
  };
}

function callOf({ shape }: CallSyntax, tool: FunctionTool): GuideSpec {
  const given: GuideSpec = { kind: "json_schema", schema: argumentsSchema(tool) };
  const text = (value: string): GuideSpec => ({ kind: "literal", text: value });
  if (shape.kind === "pairs") {
    const { afterName, kind, ...marks } = shape;
    const pairs: GuideSpec = { kind, schema: argumentsSchema(tool), ...marks };
    return sequence(text(`${tool.name}${afterName}`), pairs);
  }
  if (shape.kind === "named") return sequence(text(`${tool.name}${shape.middle}`), given);
  const head = `{"${shape.name}": "${tool.name}", "${shape.arguments}": `;
  return sequence(text(head), given, text("}"));
}

/** One after the other; what is empty is left out. */
function sequence(...parts: readonly GuideSpec[]): GuideSpec {
  const some = parts.filter((part) => part.kind !== "literal" || part.text !== "");
  const [only] = some;
  return some.length === 1 && only !== undefined ? only : { kind: "sequence", parts: some };
}

function either(parts: readonly GuideSpec[]): GuideSpec {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: "either", parts };
}
