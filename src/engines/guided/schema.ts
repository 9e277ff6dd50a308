import { ANY_VALUE, arrayOf, BOOLEAN, NULL } from "./json.ts";
import { either, type Node, type RuleNode, rule } from "./node.ts";
import { checkBounds } from "./schema-bounds.ts";
import {
  fields,
  isAnnotation,
  KEYWORDS,
  REFERENCES,
  type Schema,
  typesOf,
  unknownKeyword,
} from "./schema-keywords.ts";
import { namesIn } from "./schema-names.ts";
import { objectNode } from "./schema-objects.ts";
import { excludeEachOther } from "./schema-one-of.ts";
import { patternsIn, plain } from "./schema-plain.ts";
import { followed, isReference, targetOf } from "./schema-references.ts";
import { numberNode, stringNode } from "./schema-scalars.ts";
import { valuesIn } from "./schema-values.ts";
import { joinPath, SpecError } from "./spec-error.ts";
import { oneOf } from "./words.ts";
import { Work } from "./work.ts";

const MOST_ITEMS = 10_000;
/** Steps in which a leaf can be made. */
const NUMBER_WORK = 60;
const STRING_WORK = 10;
/** A schema that is referred to from inside itself is read more than once. */
const MOST_READ = 60_000;

/**
 * The JSON texts that fit a schema, or a part of them: properties come in the schema's order, and
 * what the docs call bounded is. @throws SpecError with the path of what can't be used
 */
export function schemaNode(schema: unknown, work = new Work()): Node {
  checkBounds(schema, work);
  return new SchemaReader(schema, work).whole();
}

/** Reads a schema, and parts of it: they may refer to one another, also to what is read later. */
export class SchemaReader {
  readonly #root: unknown;
  readonly #work: Work;
  readonly #strings = new Map<string, Node>();
  readonly #numbers = new Map<string, Node>();
  /** By what they stand for: a place can be spelt in more than one way. */
  readonly #rules = new Map<unknown, RuleNode>();
  readonly #waiting: { rule: RuleNode; schema: unknown; path: string }[] = [];
  #read = 0;

  constructor(root: unknown, work: Work) {
    this.#root = root;
    this.#work = work;
  }

  whole(): Node {
    const node = this.#node(this.#root, "");
    this.finish();
    return node;
  }

  /** One of its parts, or a schema made of some. Not to be used before `finish`. */
  part(schema: unknown, path: string): Node {
    return this.#node(schema, path);
  }

  /** Reads what was referred to so far. */
  finish(): void {
    for (const { rule, schema, path } of this.#waiting) rule.body = this.#node(schema, path);
    this.#waiting.length = 0;
  }

  #node(schema: unknown, path: string): Node {
    this.#read += 1;
    this.#work.spend(1);
    if (this.#read > MOST_READ)
      throw new SpecError(`Its references are read more than ${MOST_READ} times.`, path);
    if (schema === true) return ANY_VALUE;
    if (schema === false) return either();
    const given = fields(schema);
    if (given === null) throw new SpecError("A schema is an object, true or false.", path);
    const { nullable, ...all } = plain(given);
    for (const name of Object.keys(all))
      if (!KEYWORDS.has(name) && !isAnnotation(name) && !isPatterns(name, all))
        throw new SpecError(unknownKeyword(name), joinPath(path, name));
    const node = this.#known(all, path);
    // OpenAPI's
    return nullable === true ? either(node, NULL) : node;
  }

  #known(all: Schema, path: string): Node {
    if (all.$ref !== undefined) {
      this.#alone(all, "$ref", path);
      return this.#reference(all.$ref, joinPath(path, "$ref"));
    }
    if (all.anyOf !== undefined) {
      this.#alone(all, "anyOf", path);
      if (!Array.isArray(all.anyOf) || all.anyOf.length === 0)
        throw new SpecError("'anyOf' is a list of schemas.", joinPath(path, "anyOf"));
      return either(
        ...all.anyOf.map((part, index) => this.#node(part, joinPath(path, `anyOf[${index}]`))),
      );
    }
    if (all.oneOf !== undefined) return this.#oneOf(all, path);
    if (all.enum !== undefined || all.const !== undefined) return this.#values(all, path);
    if (Object.keys(all).every((name) => isAnnotation(name) || REFERENCES.has(name)))
      return ANY_VALUE;
    return either(...typesOf(all, path).map((type) => this.#typed(type, all, path)));
  }

  /** Any of them, where what fits one can't fit another. */
  #oneOf(all: Schema, path: string): Node {
    this.#alone(all, "oneOf", path);
    const at = joinPath(path, "oneOf");
    const branches: unknown = all.oneOf;
    if (!Array.isArray(branches) || branches.length === 0)
      throw new SpecError("'oneOf' is a list of schemas.", at);
    const follow = (schema: unknown) => this.followed(schema, at);
    for (const [index, branch] of branches.entries())
      for (const earlier of branches.slice(0, index)) {
        if (!excludeEachOther(earlier, branch, follow, (steps) => this.#work.spend(steps)))
          throw new SpecError(
            "'oneOf' can be enforced where its branches exclude each other by their types, or by a required property with other values of 'const' or 'enum' in each; else use 'anyOf'.",
            at,
          );
      }
    return either(
      ...branches.map((part, index) => this.#node(part, joinPath(path, `oneOf[${index}]`))),
    );
  }

  /** The schema at the end of its references; null where there is none, or no end. */
  followed(schema: unknown, path: string): Schema | null {
    return followed(this.#root, schema, path, this.#work);
  }

  /** What refers elsewhere says all there is to say: two at once would have to be merged. */
  #alone(all: Schema, keyword: string, path: string): void {
    for (const name of Object.keys(all))
      if (name !== keyword && !isAnnotation(name) && !REFERENCES.has(name))
        throw new SpecError(`'${name}' can't stand beside '${keyword}'.`, joinPath(path, name));
  }

  #reference(reference: unknown, path: string): Node {
    if (!isReference(reference))
      throw new SpecError("A reference is '#' or '#/…', to a part of the same schema.", path);
    const target = targetOf(this.#root, reference, path, this.#work);
    const known = this.#rules.get(target);
    if (known !== undefined) return known;
    const found = rule(reference);
    this.#rules.set(target, found);
    this.#waiting.push({ rule: found, schema: target, path });
    return found;
  }

  #typed(type: string, all: Schema, path: string): Node {
    switch (type) {
      case "object":
        return this.#object(all, path);
      case "array":
        return this.#array(all, path);
      case "string":
        return this.#within(path, () => this.#string(all));
      case "boolean":
        return BOOLEAN;
      case "null":
        return NULL;
      default:
        return this.#within(path, () => this.#number(all, type === "integer"));
    }
  }

  /** Those that are the same are made once. */
  #string(all: Schema): Node {
    const { pattern, allOf, format, minLength, maxLength } = all;
    const name = JSON.stringify([pattern, allOf, format, minLength, maxLength]);
    const known = this.#strings.get(name);
    if (known !== undefined) return known;
    this.#work.spend(STRING_WORK);
    const node = stringNode(all, this.#work);
    this.#strings.set(name, node);
    return node;
  }

  #number(all: Schema, integer: boolean): Node {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = all;
    const bounds = [minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf];
    const name = JSON.stringify([integer, ...bounds]);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#work.spend(NUMBER_WORK);
    const node = numberNode(all, integer);
    this.#numbers.set(name, node);
    return node;
  }

  #within(path: string, make: () => Node): Node {
    try {
      return make();
    } catch (error) {
      if (error instanceof SpecError) throw error.within(path);
      throw error;
    }
  }

  #object(all: Schema, path: string): Node {
    const at = joinPath(path, "propertyNames");
    const names = namesIn(
      all.propertyNames,
      (schema) => this.followed(schema, at),
      (steps) => this.#work.spend(steps),
    );
    if (names === "unknown") throw new SpecError(unknownKeyword("propertyNames"), at);
    return objectNode(all, path, names, (schema, part) => this.#node(schema, part));
  }

  #array(all: Schema, path: string): Node {
    const least = countOf(all, "minItems", path) ?? 0;
    const most = countOf(all, "maxItems", path) ?? Number.POSITIVE_INFINITY;
    if (least > MOST_ITEMS)
      throw new SpecError(`'minItems' is at most ${MOST_ITEMS}.`, joinPath(path, "minItems"));
    const prefix = all.prefixItems ?? [];
    if (!Array.isArray(prefix))
      throw new SpecError("'prefixItems' is a list of schemas.", joinPath(path, "prefixItems"));
    const first = prefix.map((part, index) =>
      this.#node(part, joinPath(path, `prefixItems[${index}]`)),
    );
    if (Array.isArray(all.items))
      throw new SpecError(
        "A list of schemas, one for each place, is called 'prefixItems'; 'items' is that of all others.",
        joinPath(path, "items"),
      );
    const rest = all.items ?? true;
    const items = rest === false ? null : this.#node(rest, joinPath(path, "items"));
    if (least > most || (items === null && least > first.length))
      throw new SpecError("No list has so many items.", joinPath(path, "minItems"));
    return arrayOf(first, items, least, most);
  }

  #values(all: Schema, path: string): Node {
    return oneOf(this.values(all, path).map((value) => JSON.stringify(value)));
  }

  /** The values of `enum` and `const` that fit whatever else is said. */
  values(all: Schema, path: string): readonly unknown[] {
    return valuesIn(all, path, this.#work, (type, rest) => this.#typed(type, rest, path));
  }
}

function isPatterns(name: string, { allOf }: Schema): boolean {
  return name === "allOf" && patternsIn(allOf) !== null;
}

function countOf(all: Schema, name: string, path: string): number | null {
  const value = all[name];
  if (value === undefined) return null;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0)
    throw new SpecError(`'${name}' is a whole number from 0 on.`, joinPath(path, name));
  return value;
}
