import { ANY_VALUE, objectOf, type Property } from "./json.ts";
import type { Node } from "./node.ts";
import { fields, type Schema } from "./schema-keywords.ts";
import { joinPath, SpecError } from "./spec-error.ts";

/**
 * An object with its properties, in the schema's order. `read` makes a node of a part at its path, and `allowed`
 * are the names that properties may have at all. @throws SpecError
 */
export function objectNode(
  all: Schema,
  path: string,
  allowed: readonly string[] | "any",
  read: (schema: unknown, path: string) => Node,
): Node {
  const declared = fields(all.properties ?? {});
  if (declared === null)
    throw new SpecError("'properties' is an object of schemas.", joinPath(path, "properties"));
  const required = all.required ?? [];
  if (!Array.isArray(required) || required.some((name) => typeof name !== "string"))
    throw new SpecError("'required' is a list of names.", joinPath(path, "required"));
  const needed = new Set<string>(required);
  const names = allowed === "any" ? null : new Set(allowed);
  const never = [...needed].find((name) => names !== null && !names.has(name));
  if (never !== undefined)
    throw new SpecError(
      `'${never}' is required, but 'propertyNames' does not allow it.`,
      joinPath(path, "required"),
    );
  const properties: Property[] = [];
  for (const [name, schema] of Object.entries(declared)) {
    const value = read(schema, joinPath(joinPath(path, "properties"), name));
    if (names === null || names.has(name))
      properties.push({ name, value, required: needed.has(name) });
  }
  // Where `properties` is there, be it empty, and nothing is said of others, there are none, as vLLM has it.
  const rest = all.additionalProperties ?? all.properties === undefined;
  const further = rest === false ? null : read(rest, joinPath(path, "additionalProperties"));
  for (const name of names ?? needed) {
    const isNeeded = needed.has(name);
    if (Object.hasOwn(declared, name) || (further === null && !isNeeded)) continue;
    properties.push({ name, value: further ?? undeclared(all, name, path), required: isNeeded });
  }
  return objectOf(properties, names === null ? further : null);
}

function undeclared(all: Schema, name: string, path: string): Node {
  if (all.additionalProperties === undefined) return ANY_VALUE;
  throw new SpecError(
    `'${name}' is required, but it is not in 'properties' and others are not allowed.`,
    joinPath(path, "required"),
  );
}
