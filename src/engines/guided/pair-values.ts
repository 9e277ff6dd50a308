import { NOTHING, type Node } from "./node.ts";
import type { SchemaReader } from "./schema.ts";
import { isAnnotation, kindOf, REFERENCES, type Schema, typesOf } from "./schema-keywords.ts";
import { plain } from "./schema-plain.ts";
import { rawStringNode } from "./schema-scalars.ts";
import { SpecError } from "./spec-error.ts";
import { oneOf } from "./words.ts";
import type { Work } from "./work.ts";

/** A schema in two: what of it is strings, which are written as they are, and what is not. */
export interface Written {
  /** Each of type string, or a list of strings in `enum`. */
  readonly texts: readonly Schema[];
  readonly others: readonly unknown[];
}

const NO_STRINGS = { type: ["object", "array", "number", "boolean", "null"] };
const ANYTHING: Written = { texts: [{ type: "string" }], others: [NO_STRINGS] };
const NEVER: Written = { texts: [], others: [] };
/** Choices in choices. */
const MOST_DEPTH = 16;

/** @throws SpecError */
export function writtenAs(schema: unknown, reader: SchemaReader, path: string, depth = 0): Written {
  if (schema === true) return ANYTHING;
  if (schema === false) return NEVER;
  const followed = depth > MOST_DEPTH ? null : reader.followed(schema, path);
  if (followed === null) throw new SpecError("Its references have no end.", path);
  const { nullable, ...all } = plain(followed);
  const found = partsOf(all, reader, path, depth);
  return nullable === true ? { ...found, others: [...found.others, { type: "null" }] } : found;
}

function partsOf(all: Schema, reader: SchemaReader, path: string, depth: number): Written {
  const choices = all.anyOf ?? all.oneOf;
  if (Array.isArray(choices)) {
    const parts = choices.map((choice) => writtenAs(choice, reader, path, depth + 1));
    return {
      texts: parts.flatMap(({ texts }) => texts),
      others: parts.flatMap(({ others }) => others),
    };
  }
  if (all.enum !== undefined || all.const !== undefined) {
    const values = reader.values(all, path);
    const isText = (value: unknown) => kindOf(value).includes("string");
    const listed = (some: readonly unknown[]) => (some.length === 0 ? [] : [{ enum: some }]);
    return {
      texts: listed(values.filter(isText)),
      others: listed(values.filter((value) => !isText(value))),
    };
  }
  if (Object.keys(all).every((name) => isAnnotation(name) || REFERENCES.has(name))) return ANYTHING;
  const types = typesOf(all, path);
  const others = types.filter((type) => type !== "string");
  return {
    texts: types.includes("string") ? [{ ...all, type: "string" }] : [],
    others: others.length === 0 ? [] : [{ ...all, type: others }],
  };
}

/** Whether the mark is in each of the strings that are listed. */
export function allHave(text: Schema, mark: string): boolean {
  return Array.isArray(text.enum) && text.enum.every((word) => String(word).includes(mark));
}

/** Strings as they are, of which none has the mark in it; null where none is left. */
export function textsOf(text: Schema, mark: string, work: Work): Node | null {
  if (!Array.isArray(text.enum)) return rawStringNode(text, mark, work);
  const words = text.enum.map(String).filter((word) => !word.includes(mark));
  if (words.length === 0) return null;
  return words.every((word) => word === "") ? NOTHING : oneOf(words);
}
