import { deadNodes } from "./check-grammar.ts";
import { Machine, type Position } from "./machine.ts";
import { either, lazy, NOTHING, type Node, sequence } from "./node.ts";
import { allHave, textsOf, type Written, writtenAs } from "./pair-values.ts";
import { SchemaReader } from "./schema.ts";
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
    for (const declared of propertiesOf(schema, reader, work)) {
      checkName(declared, marks);
      const { texts, others } = writtenAs(declared.schema, reader, declared.path);
      const some = others.length > 0 || texts.some((text) => !allHave(text, mark));
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
  const mark = marks.afterValue.trim() || marks.afterValue;
  const pairs = propertiesOf(schema, reader, work).map(
    ({ name, schema: value, required, path }) => {
      if (name === "" || name.includes(marks.afterKey.trim() || marks.afterKey))
        throw new SpecError("A property of this name can't be written without quotes.", path);
      const { texts, others } = writtenAs(value, reader, path);
      const strings = texts.flatMap((text) => textsOf(text, mark, work) ?? []);
      return {
        name,
        required,
        value: either(...strings, ...others.map((other) => reader.part(other, path))),
      };
    },
  );
  reader.finish();
  const values = (required: boolean) =>
    pairs.filter((pair) => pair.required === required).map(({ value }) => value);
  return lazy(
    (usable) =>
      new Pairs(
        pairs.filter(({ value }) => usable(value)),
        marks,
      ).from(0),
    values(true),
    values(false),
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

/** How to read a value: as it is, as JSON, or as JSON where a text is that of a value that fits. */
export type PairType = "text" | "json" | ((text: string) => boolean);

/** By their names, those of the properties of a schema that `pairsNode` takes. */
export function pairTypes(schema: unknown): ReadonlyMap<string, PairType> {
  const work = new Work();
  const reader = new SchemaReader(schema, work);
  const typeOf = ({ texts, others }: Written, path: string): PairType => {
    if (texts.length === 0) return "json";
    return others.length === 0 ? "text" : isOneOf(others, reader, path, work);
  };
  return new Map(
    propertiesOf(schema, reader, work).map(({ name, schema: value, path }) => [
      name,
      typeOf(writtenAs(value, reader, path), path),
    ]),
  );
}

function isOneOf(
  schemas: readonly unknown[],
  reader: SchemaReader,
  path: string,
  work: Work,
): (text: string) => boolean {
  let machine: Machine | null = null;
  return (text) => {
    if (machine === null) {
      const node = either(...schemas.map((schema) => reader.part(schema, path)));
      reader.finish();
      machine = new Machine(node, deadNodes(node, work));
    }
    let at: Position | null = machine.start;
    for (const byte of new TextEncoder().encode(text)) {
      if (at === null) return false;
      at = machine.step(at, byte);
    }
    return at?.accepts === true;
  };
}
