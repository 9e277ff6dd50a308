import type { SchemaReader } from "./schema.ts";
import { isAnnotation, kindOf, REFERENCES, type Schema, typesOf } from "./schema-keywords.ts";
import { plain } from "./schema-plain.ts";
import { SpecError } from "./spec-error.ts";

/** A schema in two: what of it is strings, which are written as they are, and what is not. */
export interface Written {
  /** Each of type string, or a list of strings in `enum`. */
  readonly texts: readonly Schema[];
  readonly others: readonly unknown[];
  /** Some of the others are objects or lists. */
  readonly structures: boolean;
  /** What of the others is neither: numbers and words. */
  readonly scalars: readonly Schema[];
}

const NEVER: Written = { texts: [], others: [], structures: false, scalars: [] };
const NO_STRINGS = { type: ["object", "array", "number", "boolean", "null"] };
const ANYTHING: Written = {
  texts: [{ type: "string" }],
  others: [NO_STRINGS],
  structures: true,
  scalars: [{ type: ["number", "boolean", "null"] }],
};
const NULL: Schema = { type: "null" };
/** Choices in choices. */
const MOST_DEPTH = 16;

/** Tells the values of one schema's properties apart; what several refer to is looked at once. */
export class PairValues {
  readonly #reader: SchemaReader;
  readonly #known = new Map<Schema, Written>();

  constructor(reader: SchemaReader) {
    this.#reader = reader;
  }

  /** @throws SpecError */
  written(schema: unknown, path: string, depth = 0): Written {
    if (schema === true) return ANYTHING;
    if (schema === false) return NEVER;
    const followed = depth > MOST_DEPTH ? null : this.#reader.followed(schema, path);
    if (followed === null) throw new SpecError("Its references have no end.", path);
    const known = this.#known.get(followed);
    if (known !== undefined) return known;
    const { nullable, ...all } = plain(followed);
    const found = this.#parts(all, path, depth);
    const whole = nullable === true ? joined([found, scalar(NULL)]) : found;
    // As it is written, so that what it refers to is read once.
    const result = whole.texts.length === 0 ? { ...whole, others: [schema] } : whole;
    this.#known.set(followed, result);
    return result;
  }

  #parts(all: Schema, path: string, depth: number): Written {
    const choices = all.anyOf ?? all.oneOf;
    if (Array.isArray(choices))
      return joined(choices.map((choice) => this.written(choice, path, depth + 1)));
    if (all.enum !== undefined || all.const !== undefined)
      return listed(this.#reader.values(all, path));
    if (Object.keys(all).every((name) => isAnnotation(name) || REFERENCES.has(name)))
      return ANYTHING;
    const types = typesOf(all, path);
    const others = types.filter((type) => type !== "string");
    const scalars = others.filter((type) => type !== "object" && type !== "array");
    return {
      texts: types.includes("string") ? [{ ...all, type: "string" }] : [],
      others: others.length === 0 ? [] : [{ ...all, type: others }],
      structures: scalars.length < others.length,
      scalars: scalars.length === 0 ? [] : [{ ...all, type: scalars }],
    };
  }
}

function joined(parts: readonly Written[]): Written {
  return {
    texts: parts.flatMap(({ texts }) => texts),
    others: parts.flatMap(({ others }) => others),
    structures: parts.some(({ structures }) => structures),
    scalars: parts.flatMap(({ scalars }) => scalars),
  };
}

function scalar(schema: Schema): Written {
  return { ...NEVER, others: [schema], scalars: [schema] };
}

function listed(values: readonly unknown[]): Written {
  const some = (found: readonly unknown[]) => (found.length === 0 ? [] : [{ enum: found }]);
  const others = values.filter((value) => !kindOf(value).includes("string"));
  const scalars = others.filter((value) => typeof value !== "object" || value === null);
  return {
    texts: some(values.filter((value) => typeof value === "string")),
    others: some(others),
    structures: scalars.length < others.length,
    scalars: some(scalars),
  };
}
