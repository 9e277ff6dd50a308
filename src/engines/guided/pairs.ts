import { deadNodes } from "./check-grammar.ts";
import { Machine } from "./machine.ts";
import { either, lazy, NOTHING, type Node, sequence } from "./node.ts";
import { hasTexts, textsOf } from "./pair-texts.ts";
import { PairValues, type Written } from "./pair-values.ts";
import { SchemaReader, schemaNode } from "./schema.ts";
import { checkBounds } from "./schema-bounds.ts";
import { fields, type Schema } from "./schema-keywords.ts";
import { plain } from "./schema-plain.ts";
import type { PairMarks } from "./spec.ts";
import { joinPath, SpecError } from "./spec-error.ts";
import { inOrder, literal, oneOfOrdered, type Word } from "./words.ts";
import { Work } from "./work.ts";

/** So much of the work that a request's guides may take is spent to see whether pairs will do. */
const LOOK = 0.1;

/** Whether the objects of a schema, which is known to be one, can be written as pairs: looked at, not made. */
export function fitsPairs(schema: unknown, marks: PairMarks): boolean {
  const work = new Work(LOOK);
  const mark = markOf(marks);
  try {
    const reader = new SchemaReader(schema, work);
    const values = new PairValues(reader);
    for (const declared of propertiesOf(schema, reader, work)) {
      checkName(declared, marks);
      const written = values.written(declared.schema, declared.path);
      const some = hasTexts(written, mark, work) || written.others.length > 0;
      if (declared.required && !some) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof SpecError) return false;
    throw error;
  }
}

/** @throws SpecError also when the schema's objects can't be written as pairs */
export function pairsNode(schema: unknown, marks: PairMarks, work: Work): Node {
  checkBounds(schema, work);
  const reader = new SchemaReader(schema, work);
  const values = new PairValues(reader);
  const mark = markOf(marks);
  const nodes = new Map<Written, Node>();
  const nodeOf = (written: Written, path: string): Node => {
    const known = nodes.get(written);
    if (known !== undefined) return known;
    const others = written.others.map((other) => reader.part(other, path));
    const node = either(...textsOf(written, mark, work), ...others);
    nodes.set(written, node);
    return node;
  };
  const pairs = propertiesOf(schema, reader, work).map((declared): Pair => {
    checkName(declared, marks);
    const { name, required, path } = declared;
    return { name, required, value: nodeOf(values.written(declared.schema, path), path) };
  });
  reader.finish();
  const some = (required: boolean) =>
    pairs.filter((pair) => pair.required === required).map(({ value }) => value);
  return lazy(
    (usable) =>
      new Pairs(
        pairs.filter(({ value }) => usable(value)),
        marks,
      ).from(0),
    some(true),
    some(false),
  );
}

function markOf({ afterValue }: PairMarks): string {
  return afterValue.trim() || afterValue;
}

function checkName({ name, path }: Declared, { afterKey }: PairMarks): void {
  if (name === "" || name.includes(afterKey.trim() || afterKey))
    throw new SpecError("A property of this name can't be written without quotes.", path);
}

interface Pair {
  readonly name: string;
  readonly value: Node;
  readonly required: boolean;
}

class Pairs {
  readonly #pairs: readonly Pair[];
  readonly #keys: readonly Word[];
  readonly #end: Node;
  readonly #from: Node[] = [];

  constructor(pairs: readonly Pair[], { beforeKey, afterKey, afterValue }: PairMarks) {
    this.#pairs = pairs;
    this.#keys = inOrder(pairs.map(({ name }) => `${beforeKey}${name}${afterKey}`));
    this.#end = literal(afterValue);
  }

  /** What follows when the pairs before `index` are written or left out. */
  from(index: number): Node {
    this.#from[index] ??= lazy(() => this.#open(index), [], []);
    return this.#from[index];
  }

  #open(index: number): Node {
    const required = this.#pairs.findIndex((one, at) => at >= index && one.required);
    const last = required === -1 ? this.#pairs.length - 1 : required;
    const choices = this.#keys.filter((key) => key.index >= index && key.index <= last);
    if (choices.length === 0) return NOTHING;
    const next = oneOfOrdered(choices, (word) =>
      sequence(this.#pairs[word]?.value ?? NOTHING, this.#end, this.from(word + 1)),
    );
    return required === -1 ? either(NOTHING, next) : next;
  }
}

/** A declared property, and where it stands. */
interface Declared {
  readonly name: string;
  readonly schema: unknown;
  readonly required: boolean;
  readonly path: string;
}

/** Those of the object that a schema asks for, its references followed. */
function propertiesOf(schema: unknown, reader: SchemaReader, work: Work): Declared[] {
  const followed = reader.followed(schema, "");
  const all = followed === null ? null : plain(followed);
  const said = ["$ref", "anyOf", "oneOf", "allOf", "enum", "const"];
  if (all === null || said.some((keyword) => all[keyword] !== undefined))
    throw new SpecError("Only an object with its properties can be written as pairs.");
  if (all.propertyNames !== undefined)
    throw new SpecError("Names that are listed apart can't be written as pairs.", "propertyNames");
  const declared: Schema = fields(all.properties ?? {}) ?? {};
  const { additionalProperties: further } = all;
  const named = Object.keys(declared).length > 0;
  if (fields(further) !== null || (further === true && !named))
    throw new SpecError(
      "Properties that aren't named can't be written as pairs.",
      "additionalProperties",
    );
  const required = Array.isArray(all.required) ? all.required.map(String) : [];
  work.spend(Object.keys(declared).length + required.length);
  const needed = new Set(required);
  const found = Object.entries(declared).map(([name, value]) => ({
    name,
    schema: value,
    required: needed.has(name),
    path: joinPath("properties", name),
  }));
  for (const name of needed)
    if (!Object.hasOwn(declared, name)) {
      if (further === false)
        throw new SpecError(`'${name}' is required, but others are not allowed.`, "required");
      found.push({ name, schema: true, required: true, path: "required" });
    }
  return found;
}

/** How a value is read of which strings are some. */
export interface MixedType {
  /** What begins as an object or a list is one. */
  readonly structures: boolean;
  /** Reads what else is no string; null where there is nothing. Made when it is first asked for. */
  scalars(): Machine | null;
}

/** How to read a value: as it is, as JSON, or as the one that its text shows. */
export type PairType = "text" | "json" | MixedType;

/** By their names, those of the properties of a schema that `pairsNode` takes. */
export function pairTypes(schema: unknown): ReadonlyMap<string, PairType> {
  const work = new Work();
  const reader = new SchemaReader(schema, work);
  const values = new PairValues(reader);
  const known = new Map<Written, PairType>();
  const typeOf = (written: Written): PairType => {
    const found = known.get(written) ?? typeIn(written);
    known.set(written, found);
    return found;
  };
  return new Map(
    propertiesOf(schema, reader, work).map(({ name, schema: value, path }) => [
      name,
      typeOf(values.written(value, path)),
    ]),
  );
}

function typeIn({ texts, others, structures, scalars }: Written): PairType {
  if (texts.length === 0) return "json";
  if (others.length === 0) return "text";
  let machine: Machine | null | undefined;
  return {
    structures,
    scalars: () => {
      machine ??= scalars.length === 0 ? null : scalarsOf(scalars);
      return machine;
    },
  };
}

/** Numbers and words refer to nothing else, and take next to no time. */
function scalarsOf(schemas: readonly Schema[]): Machine {
  const node = either(...schemas.map((schema) => schemaNode(schema)));
  return new Machine(node, deadNodes(node));
}
