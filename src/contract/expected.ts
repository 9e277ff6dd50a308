import { z } from "zod";

const words = new WeakMap<z.core.$ZodType, string>();

/** What a schema takes, in words that finish "expected …": "a number between 0 and 2". */
export function expected(schema: z.core.$ZodType): string {
  let text = words.get(schema);
  if (text === undefined) {
    text = describe(bare(schema));
    words.set(schema, text);
  }
  return text;
}

function describe(node: z.core.$ZodType): string {
  if (node instanceof z.ZodNumber) return numberWords(node);
  if (node instanceof z.ZodString) return stringWords(node);
  if (node instanceof z.ZodBoolean) return "a boolean";
  if (node instanceof z.ZodEnum || node instanceof z.ZodLiteral) {
    const values = choices(node);
    if (values.length === 1) return `${values[0]}`;
    return values.length === 2 && node instanceof z.ZodLiteral
      ? values.join(" or ")
      : `one of ${values.join(", ")}`;
  }
  if (node instanceof z.ZodArray) return arrayWords(node);
  if (node instanceof z.ZodObject) return "an object";
  if (node instanceof z.ZodNull) return "null";
  if (node instanceof z.ZodUnion) return [...new Set(node.options.map(expected))].join(" or ");
  return "another value";
}

/** The values an enumeration or a literal takes, texts quoted as OpenAI's messages quote them; none for other schemas. */
export function choices(schema: z.core.$ZodType): string[] {
  const node = bare(schema);
  if (node instanceof z.ZodEnum) return node.options.map((value) => `'${value}'`);
  if (node instanceof z.ZodLiteral) return [...node.values].map(quoted);
  return [];
}

/** A value of an enumeration as a message shows it: a number or a boolean as it is sent. */
export function quoted(value: unknown): string {
  return typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : `'${String(value)}'`;
}

/**
 * The schema that governs `path` in `value`, or null where there is none. Where a union could mean
 * several, the one whose discriminator or kind fits the value is taken.
 */
export function schemaAt(
  schema: z.core.$ZodType,
  value: unknown,
  path: readonly PropertyKey[],
): z.core.$ZodType | null {
  const node = bare(schema);
  const [key, ...rest] = path;
  if (key === undefined) return schema;
  const inner = isIndexable(value) ? Reflect.get(value, key) : undefined;
  if (node instanceof z.ZodUnion) {
    for (const option of node.options) {
      if (!fits(option, value)) continue;
      const found = schemaAt(option, value, path);
      if (found !== null) return found;
    }
    return null;
  }
  if (node instanceof z.ZodObject) {
    const next = typeof key === "string" ? (node.shape[key] ?? node.def.catchall) : undefined;
    return next === undefined ? null : schemaAt(next, inner, rest);
  }
  if (node instanceof z.ZodArray) return schemaAt(node.element, inner, rest);
  return null;
}

/** The schema without `optional`, `nullable` and the steps after a transform. */
export function bare(schema: z.core.$ZodType): z.core.$ZodType {
  let node = schema;
  for (;;) {
    if (node instanceof z.ZodOptional || node instanceof z.ZodNullable) node = node.unwrap();
    else if (node instanceof z.ZodPipe) node = node.in;
    else return node;
  }
}

/** The options of a union, in order; none for other schemas. */
export function optionsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const node = bare(schema);
  return node instanceof z.ZodUnion ? node.options : [];
}

/** Whether an option of a union is meant by this value: same kind, and every literal field equal. */
export function fits(option: z.core.$ZodType, value: unknown): boolean {
  const node = bare(option);
  if (node instanceof z.ZodString) return typeof value === "string";
  if (node instanceof z.ZodNumber) return typeof value === "number";
  if (node instanceof z.ZodArray) {
    return Array.isArray(value) && (value.length === 0 || fits(node.element, value[0]));
  }
  if (node instanceof z.ZodUnion) return node.options.some((inner) => fits(inner, value));
  if (!isIndexable(value) || Array.isArray(value)) return false;
  if (!(node instanceof z.ZodObject)) return false;
  for (const [key, field] of Object.entries(node.shape)) {
    if (field instanceof z.ZodLiteral && !field.values.has(Reflect.get(value, key))) return false;
  }
  return true;
}

function isIndexable(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function numberWords(node: z.ZodNumber): string {
  const kind = node.isInt ? "an integer" : "a number";
  const { minimum, exclusiveMinimum, maximum } = z.toJSONSchema(node);
  const low = bounded(minimum);
  const high = bounded(maximum);
  if (typeof exclusiveMinimum === "number") return `${kind} greater than ${exclusiveMinimum}`;
  if (low !== null && high !== null) {
    return low === high
      ? `${kind === "an integer" ? "the integer" : "the number"} ${low}`
      : `${kind} between ${low} and ${high}`;
  }
  if (low !== null) return `${kind} of at least ${low}`;
  if (high !== null) return `${kind} of at most ${high}`;
  return kind;
}

/** A bound worth naming: not one of the limits of the number format itself. */
function bounded(limit: number | undefined): number | null {
  return limit === undefined || Math.abs(limit) >= Number.MAX_SAFE_INTEGER ? null : limit;
}

function stringWords(node: z.ZodString): string {
  if (node.maxLength !== null) return `a string of at most ${node.maxLength} characters`;
  return node.minLength === null || node.minLength === 0 ? "a string" : "a non-empty string";
}

function arrayWords(node: z.ZodArray): string {
  const { minItems, maxItems } = z.toJSONSchema(node, { unrepresentable: "any" });
  const items = plural(node.element);
  if (minItems !== undefined && maxItems !== undefined) {
    return `an array of ${minItems} to ${maxItems} ${items}`;
  }
  if (maxItems !== undefined) return `an array of at most ${maxItems} ${items}`;
  return minItems === undefined ? `an array of ${items}` : `a non-empty array of ${items}`;
}

function plural(element: z.core.$ZodType): string {
  const node = bare(element);
  if (node instanceof z.ZodNumber) return node.isInt ? "integers" : "numbers";
  if (node instanceof z.ZodString || node instanceof z.ZodEnum) return "strings";
  if (node instanceof z.ZodArray) return `arrays of ${plural(node.element)}`;
  return "objects";
}
