import type { PairMarks } from "../guided/spec.ts";

/**
 * How a model writes its calls of tools: read off its chat template (`detect.ts`), so that a family
 * of models needs no code of its own.
 */
export interface CallSyntax {
  /** What stands before the first call; empty where a call is the whole answer. */
  readonly begin: string;
  /** What stands between two calls; null where an answer has one at most. */
  readonly between: string | null;
  /** What stands after the last. */
  readonly end: string;
  readonly shape: CallShape;
}

/**
 * `object`: JSON with the name and the arguments in it, `{"name": "f", "arguments": {…}}`.
 * `named`: the name, a text in the middle, and the arguments as JSON, `f[ARGS]{…}`.
 * `pairs`: the name, and each argument between marks, strings as they are and all else as JSON,
 * `f>\n<parameter=city>\nRome\n</parameter>\n`.
 */
export type CallShape =
  | { readonly kind: "object"; readonly name: string; readonly arguments: string }
  | { readonly kind: "named"; readonly middle: string }
  | PairsShape;

export interface PairsShape extends PairMarks {
  readonly kind: "pairs";
  readonly afterName: string;
}

/**
 * Hermes' form, which Qwen and others took over, and the one that models are told of whose template
 * knows no tools. https://github.com/NousResearch/Hermes-Function-Calling
 */
export const HERMES: CallSyntax = {
  begin: "<tool_call>\n",
  between: "\n</tool_call>\n<tool_call>\n",
  end: "\n</tool_call>",
  shape: { kind: "object", name: "name", arguments: "arguments" },
};

/** What of tools a model's chat template knows, and how its model writes calls. */
export interface ToolFormat {
  readonly syntax: CallSyntax;
  /** The template tells the model of its tools; else a system message does. */
  readonly listed: boolean;
  /** The template writes calls that were made; else they are text of the message. */
  readonly called: boolean;
  /** The template has messages of role `tool`; else results are a user's. */
  readonly answered: boolean;
  /** The template takes no ids but of nine letters and digits, as Mistral's do. */
  readonly shortIds: boolean;
}

/** Where the template knows nothing of tools. */
export const PROMPTED: ToolFormat = {
  syntax: HERMES,
  listed: false,
  called: false,
  answered: false,
  shortIds: false,
};

/** The first word of what stands before calls, or its first tag: it announces one. */
export function triggerOf({ begin }: CallSyntax): string {
  return /^(<[^\s>]*>|\S*)/.exec(begin.trim())?.[0] ?? "";
}
