import { fields, isAnnotation, REFERENCES, type Schema } from "./schema-keywords.ts";

/** The patterns that all of these schemas ask for, as zod writes several of one string; null where one asks for more. */
export function patternsIn(allOf: unknown): readonly unknown[] | null {
  if (!Array.isArray(allOf) || allOf.length === 0) return null;
  const parts = allOf.map(fields);
  const isPattern = (part: Schema | null) =>
    part !== null && Object.keys(part).every((name) => name === "pattern") && "pattern" in part;
  return parts.every(isPattern) ? parts.map((part) => part?.pattern) : null;
}

/**
 * Without what says nothing: keywords that let everything through, such as `minProperties: 0`, and `allOf` of one
 * schema and no others. `{"not": {}}`, as zod writes what can't be, is `anyOf` of `false` alone.
 */
export function plain(all: Schema): Schema {
  const { not, ...others } = all;
  if (letsAllThrough(not) && letsAllThrough(others)) return { anyOf: [false] };
  const names = Object.keys(all).filter((name) => !saysNothing(name, all));
  const kept = Object.fromEntries(names.map((name) => [name, all[name]]));
  const { allOf, ...rest } = kept;
  const only = Array.isArray(allOf) && allOf.length === 1 ? fields(allOf[0]) : null;
  const isAlone = Object.keys(rest).every(
    (name) => isAnnotation(name) || REFERENCES.has(name) || name === "nullable",
  );
  return only !== null && isAlone ? plain({ ...rest, ...only }) : kept;
}

/** Whether a schema allows any string, as those of a property's name do that say what it is anyway. */
export function allowsAnyText(schema: unknown): boolean {
  if (schema === true) return true;
  const all = fields(schema);
  if (all === null) return false;
  return Object.entries(all).every(([name, value]) => {
    if (name === "type")
      return value === "string" || (Array.isArray(value) && value.includes("string"));
    return isAnnotation(name) || REFERENCES.has(name) || (name === "minLength" && value === 0);
  });
}

/** Whether this keyword lets everything through, as it is or for what stands beside it. */
function saysNothing(name: string, all: Schema): boolean {
  const value = all[name];
  switch (name) {
    case "uniqueItems":
    case "not":
    // Those of OpenAPI 3.0 say how `minimum` and `maximum` are meant.
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return value === false;
    case "propertyNames":
      return allowsAnyText(value);
    case "minProperties":
      return value === 0;
    case "contains":
      return all.minContains === 0 && all.maxContains === undefined;
    case "minContains":
    case "maxContains":
      return all.contains === undefined || saysNothing("contains", all);
    case "patternProperties":
    case "dependentRequired":
    case "dependentSchemas":
    case "dependencies":
      return isEmpty(value);
    case "unevaluatedProperties":
    case "unevaluatedItems":
      return letsAllThrough(value);
    // It is for a list of `items`, which is refused.
    case "additionalItems":
      return true;
    case "if":
      return all.then === undefined && all.else === undefined;
    case "then":
    case "else":
      return all.if === undefined;
    default:
      return value === undefined;
  }
}

function letsAllThrough(schema: unknown): boolean {
  const all = fields(schema);
  return schema === true || (all !== null && Object.keys(all).every(isAnnotation));
}

function isEmpty(value: unknown): boolean {
  const all = fields(value);
  return all !== null && Object.keys(all).length === 0;
}
