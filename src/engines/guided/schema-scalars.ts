import { FORMATS } from "./formats.ts";
import { ANY_STRING, stringOf } from "./json.ts";
import type { Node } from "./node.ts";
import { NumberLeaf } from "./number.ts";
import { bothOf, textWithout } from "./raw-text.ts";
import { ANY_TEXT, type CharDfa, regexDfa } from "./regex-dfa.ts";
import type { Schema } from "./schema-keywords.ts";
import { SpecError } from "./spec-error.ts";
import { type Length, MOST_COUNTED, Text } from "./text.ts";
import type { Work } from "./work.ts";

const MOST_LEAST_LENGTH = 10_000;

/** A string with its `pattern` or `format`, and its length, as JSON. @throws SpecError */
export function stringNode(all: Schema, work: Work): Node {
  const length = limitsOf(all);
  const dfa = dfaOf(all, work);
  const any = dfa === null && length.least === 0 && length.most > MOST_COUNTED;
  return any ? ANY_STRING : stringOf(textOf(all, dfa ?? ANY_TEXT, length, true, work));
}

/** The same as it is, without quotes and escapes, and without a text in it that ends it. @throws SpecError */
export function rawStringNode(all: Schema, mark: string, work: Work): Node {
  const length = limitsOf(all);
  const free = textWithout(mark);
  const dfa = dfaOf(all, work);
  return textOf(all, dfa === null ? free : bothOf(dfa, free, work), length, false, work);
}

function limitsOf(all: Schema): Length {
  const least = lengthOf(all, "minLength") ?? 0;
  const most = lengthOf(all, "maxLength") ?? Number.POSITIVE_INFINITY;
  if (least > MOST_LEAST_LENGTH)
    throw new SpecError(`'minLength' is at most ${MOST_LEAST_LENGTH}.`, "minLength");
  if (least > most) throw new SpecError("'minLength' is larger than 'maxLength'.", "minLength");
  return { least, most };
}

/** Null where any text fits. */
function dfaOf(all: Schema, work: Work): CharDfa | null {
  const { pattern, format } = all;
  if (pattern !== undefined && format !== undefined)
    throw new SpecError("'format' can't stand beside 'pattern'.", "format");
  if (pattern === undefined && format === undefined) return null;
  return withinKeyword(all, () =>
    pattern === undefined ? formatDfa(format, work) : patternDfa(pattern, work),
  );
}

function textOf(all: Schema, dfa: CharDfa, length: Length, json: boolean, work: Work): Text {
  const said = all.pattern !== undefined || all.format !== undefined;
  const make = () => new Text(dfa, length, json, work);
  return said ? withinKeyword(all, make) : make();
}

function withinKeyword<Result>(all: Schema, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (error instanceof SpecError && error.path === "")
      throw error.within(all.pattern === undefined ? "format" : "pattern");
    throw error;
  }
}

function patternDfa(pattern: unknown, work: Work) {
  if (typeof pattern !== "string") throw new SpecError("'pattern' is a regular expression.");
  return regexDfa(pattern, "somewhere", work);
}

function formatDfa(format: unknown, work: Work) {
  const source = typeof format === "string" ? FORMATS.get(format) : undefined;
  if (source === undefined)
    throw new SpecError(
      `The format ${JSON.stringify(format)} can't be enforced; these can: ${[...FORMATS.keys()].join(", ")}.`,
    );
  const known = FORMAT_DFAS.get(source) ?? regexDfa(source, "whole");
  FORMAT_DFAS.set(source, known);
  work.spend(known.states);
  return known;
}

/** They are the same in every schema, and the longest of them takes some milliseconds. */
const FORMAT_DFAS = new Map<string, CharDfa>();

function lengthOf(all: Schema, name: "minLength" | "maxLength"): number | null {
  const value = all[name];
  if (value === undefined) return null;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0)
    throw new SpecError(`'${name}' is a whole number from 0 on.`, name);
  if (value > MOST_COUNTED) throw new SpecError(`'${name}' is at most ${MOST_COUNTED}.`, name);
  return value;
}

/** A number in its range. `multipleOf` is for whole numbers. @throws SpecError */
export function numberNode(all: Schema, integer: boolean): Node {
  const multipleOf = numberAt(all, "multipleOf");
  if (multipleOf !== null && (!Number.isInteger(multipleOf) || multipleOf < 1 || multipleOf > 1e15))
    throw new SpecError(
      "'multipleOf' can be enforced for whole numbers from 1 on: ask for hundredths, or for a string with a 'pattern'.",
      "multipleOf",
    );
  return new NumberLeaf({
    integer,
    minimum: numberAt(all, "minimum"),
    maximum: numberAt(all, "maximum"),
    exclusiveMinimum: numberAt(all, "exclusiveMinimum"),
    exclusiveMaximum: numberAt(all, "exclusiveMaximum"),
    multipleOf,
  });
}

function numberAt(all: Schema, name: string): number | null {
  const value = all[name];
  if (value === undefined) return null;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new SpecError(`'${name}' is a number.`, name);
  return value;
}
