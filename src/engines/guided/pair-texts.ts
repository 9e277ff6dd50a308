import { NOTHING, type Node } from "./node.ts";
import type { Written } from "./pair-values.ts";
import type { Schema } from "./schema-keywords.ts";
import { patternsIn } from "./schema-plain.ts";
import { rawStringNode } from "./schema-scalars.ts";
import { oneOf } from "./words.ts";
import type { Work } from "./work.ts";

/** What a JSON object or list begins with. */
export const STRUCTURE = /^[{[]/;
/** What in a regular expression may stand for any character without showing it. */
const HIDES = /\\[xucpPkK1-9]/;

/** What strings that are written as they are must not have, so that it is clear what they are. */
interface Unlike {
  /** In none of them. */
  readonly mark: string;
  /** None of them begins as an object or a list does: what begins so is one. */
  readonly structures: boolean;
}

/** The strings among a property's values, as they are. @throws SpecError */
export function textsOf({ texts, structures }: Written, mark: string, work: Work): Node[] {
  return texts.flatMap((text) => textOf(text, { mark, structures }, work) ?? []);
}

/** Whether there are some: they are made only where their pattern may need what they must not have. */
export function hasTexts({ texts, structures }: Written, mark: string, work: Work): boolean {
  const unlike = { mark, structures };
  return texts.some((text) => {
    if (Array.isArray(text.enum)) return wordsOf(text.enum, unlike).length > 0;
    return isSure(text, unlike) || textOf(text, unlike, work) !== null;
  });
}

/** Whether it is plain to see that texts without all that fit, and that their guide is small. */
function isSure({ pattern, allOf }: Schema, { mark, structures }: Unlike): boolean {
  const sources = [pattern ?? "", ...(patternsIn(allOf) ?? [])].map(String);
  if (structures) return sources.every((source) => source === "");
  return sources.every((source) => !source.includes(mark.slice(-1)) && !HIDES.test(source));
}

function textOf(text: Schema, unlike: Unlike, work: Work): Node | null {
  if (!Array.isArray(text.enum)) return rawStringNode(text, unlike.mark, unlike.structures, work);
  const words = wordsOf(text.enum, unlike);
  if (words.length === 0) return null;
  return words.every((word) => word === "") ? NOTHING : oneOf(words);
}

function wordsOf(values: readonly unknown[], { mark, structures }: Unlike): string[] {
  const words = values.map(String);
  return words.filter((word) => !word.includes(mark) && !(structures && STRUCTURE.test(word)));
}
