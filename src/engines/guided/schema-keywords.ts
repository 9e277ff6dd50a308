import { joinPath, SpecError } from "./spec-error.ts";

export type Schema = { readonly [name: string]: unknown };

/** They say nothing about what fits. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  ...["$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated"],
  ...["readOnly", "writeOnly", "$anchor", "$vocabulary"],
  ...["contentEncoding", "contentMediaType", "contentSchema"],
  // OpenAPI's
  ...["discriminator", "example", "externalDocs", "xml"],
]);

/** Annotations, and what anybody adds for tools of their own. */
export function isAnnotation(name: string): boolean {
  return ANNOTATIONS.has(name) || name.startsWith("x-");
}

/** What to write instead of keywords that are often sent. */
const INSTEAD: Readonly<Record<string, string>> = {
  allOf: "write its parts as one schema",
  not: "say what may be instead, by 'enum' or 'anyOf'",
  if: "write the cases as 'anyOf'",
  uniqueItems: "leave it out, and drop what is there twice",
  patternProperties: "name the keys in 'properties', or use 'additionalProperties'",
  propertyNames: "list the names by 'enum', or in 'properties', or use 'additionalProperties'",
  minProperties: "name the keys in 'properties' and 'required'",
  maxProperties: "name the keys in 'properties'",
  dependentRequired: "write the cases as 'anyOf'",
  contains: "use 'items' or 'prefixItems'",
};

/** Why a schema with this keyword is refused. */
export function unknownKeyword(name: string): string {
  const instead = Object.hasOwn(INSTEAD, name) ? `: ${INSTEAD[name]}` : "";
  return `The JSON Schema keyword '${name}' can't be enforced${instead}.`;
}
/** Where schemas lie that others refer to. */
export const REFERENCES: ReadonlySet<string> = new Set(["$defs", "definitions"]);
export const VALUES: ReadonlySet<string> = new Set(["enum", "const"]);

const OF_OBJECTS = ["properties", "required", "additionalProperties", "propertyNames"];
const OF_ARRAYS = ["items", "prefixItems", "minItems", "maxItems"];
const OF_STRINGS = ["minLength", "maxLength", "pattern", "format"];
const OF_NUMBERS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

/** All that is read. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  ...ANNOTATIONS,
  ...REFERENCES,
  ...VALUES,
  ...["type", "anyOf", "oneOf", "$ref"],
  ...OF_OBJECTS,
  ...OF_ARRAYS,
  ...OF_STRINGS,
  ...OF_NUMBERS,
]);

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];

/**
 * The types a schema allows. One that names none allows all; where its keywords are those of one
 * type, it is taken to mean that one. @throws SpecError
 */
export function typesOf(all: Schema, path: string): readonly string[] {
  const { type } = all;
  if (type === undefined) {
    const has = (names: readonly string[]) => names.some((name) => all[name] !== undefined);
    const meant = [
      ...(has(OF_OBJECTS) ? ["object"] : []),
      ...(has(OF_ARRAYS) ? ["array"] : []),
      ...(has(OF_STRINGS) ? ["string"] : []),
      ...(has(OF_NUMBERS) ? ["number"] : []),
    ];
    return meant.length > 0 ? meant : ["object", "array", "string", "number", "boolean", "null"];
  }
  const types: unknown[] = Array.isArray(type) ? type : [type];
  const known = TYPES.filter((name) => types.includes(name));
  if (known.length < new Set(types).size || known.length === 0)
    throw new SpecError(`A type is one of ${TYPES.join(", ")}.`, joinPath(path, "type"));
  return known.includes("number") ? known.filter((name) => name !== "integer") : known;
}

/** The types that a value has: a whole number has two. */
export function kindOf(value: unknown): string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["array"];
  if (typeof value !== "number") return [typeof value];
  return Number.isInteger(value) ? ["number", "integer"] : ["number"];
}

export function fields(value: unknown): Schema | null {
  return isObject(value) ? value : null;
}

function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
