import { ANY_TEXT, type CharDfa } from "./char-dfa.ts";
import { bothOf } from "./dfa-algebra.ts";
import { ANY_STRING, stringOf } from "./json.ts";
import type { Node } from "./node.ts";
import { NumberLeaf, type NumberRange } from "./number.ts";
import { notBegunBy, textWithout } from "./raw-text.ts";
import type { Schema } from "./schema-keywords.ts";
import { textDfa } from "./schema-texts.ts";
import { SpecError } from "./spec-error.ts";
import { type Length, MOST_COUNTED, Text } from "./text.ts";
import { needsNot, Unmarked } from "./unmarked.ts";
import type { Work } from "./work.ts";

const MOST_LEAST_LENGTH = 10_000;

/** A string with its `pattern` or `format`, and its length, as JSON. @throws SpecError */
export function stringNode(all: Schema, work: Work): Node {
  const length = limitsOf(all);
  const dfa = textDfa(all, work);
  const any = dfa === null && length.least === 0 && length.most > MOST_COUNTED;
  return any ? ANY_STRING : stringOf(textOf(all, dfa ?? ANY_TEXT, length, true, work));
}

/** Of objects and lists. */
const BRACKETS = [0x5b, 0x7b];

/**
 * The same as it is, without quotes and escapes, and without a text in it that ends it; with `unstructured`
 * it does not begin as JSON's objects and lists do. Null where no text is left. @throws SpecError
 */
export function rawStringNode(
  all: Schema,
  mark: string,
  unstructured: boolean,
  work: Work,
): Node | null {
  const length = limitsOf(all);
  const made = (dfa: CharDfa | null) =>
    dfa === null ? null : textOf(all, dfa, length, false, work);
  const begun = (dfa: CharDfa) => (unstructured ? notBegunBy(dfa, BRACKETS) : dfa);
  const asked = textDfa(all, work);
  if (asked === null) return made(begun(textWithout(mark)));
  const text = begun(asked);
  if (text === null) return null;
  const last = [...mark].at(-1) ?? "";
  if (last > "\x7f" || !needsNot(text, last)) return made(bothOf(text, textWithout(mark), work));
  return new Unmarked(textOf(all, text, length, false, work), mark);
}

function limitsOf(all: Schema): Length {
  const least = lengthOf(all, "minLength") ?? 0;
  const most = lengthOf(all, "maxLength") ?? Number.POSITIVE_INFINITY;
  if (least > MOST_LEAST_LENGTH)
    throw new SpecError(`'minLength' is at most ${MOST_LEAST_LENGTH}.`, "minLength");
  if (least > most) throw new SpecError("'minLength' is larger than 'maxLength'.", "minLength");
  return { least, most };
}

function textOf(all: Schema, dfa: CharDfa, length: Length, json: boolean, work: Work): Text {
  try {
    return new Text(dfa, length, json, work);
  } catch (error) {
    if (!(error instanceof SpecError) || error.path !== "") throw error;
    throw error.within(["pattern", "format"].find((name) => all[name] !== undefined) ?? "");
  }
}

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
  const range = {
    integer,
    minimum: numberAt(all, "minimum"),
    maximum: numberAt(all, "maximum"),
    exclusiveMinimum: numberAt(all, "exclusiveMinimum"),
    exclusiveMaximum: numberAt(all, "exclusiveMaximum"),
    multipleOf,
  };
  try {
    return new NumberLeaf(range);
  } catch (error) {
    if (error instanceof SpecError) throw error.within(boundOf(range));
    throw error;
  }
}

/** The keyword that is told where no number fits: the lower bound that counts, else another. */
function boundOf(range: NumberRange): string {
  const { minimum, exclusiveMinimum } = range;
  if (minimum !== null && exclusiveMinimum !== null)
    return exclusiveMinimum >= minimum ? "exclusiveMinimum" : "minimum";
  return BOUNDS.find((name) => range[name] !== null) ?? "";
}

const BOUNDS = [
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "exclusiveMaximum",
  "multipleOf",
] as const;

function numberAt(all: Schema, name: string): number | null {
  const value = all[name];
  if (value === undefined) return null;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new SpecError(`'${name}' is a number.`, name);
  return value;
}
