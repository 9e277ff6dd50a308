import { z } from "zod";
import { bare, fits } from "./expected.ts";

/** A name that a caller made up is told so far. */
const MOST_NAME = 64;

/** Objects that are looked at: what a conversation of any use has, in a few milliseconds. */
const MOST_LOOKED = 20_000;

/**
 * The paths of fields inside of `value` that its schema does not name, each once, without places in
 * lists: `messages.content.zzz`. A null asks for nothing; an object whose fields are the caller's own
 * (a JSON Schema, a template's variables) has none that is unknown. `value` fits the schema. Of a
 * value of very many objects only the first are looked at.
 */
export function unknownFields(schema: z.core.$ZodType, value: unknown, path: string): string[] {
  const search = { found: new Set<string>(), left: MOST_LOOKED };
  look(schema, value, path, search);
  return [...search.found];
}

interface Search {
  readonly found: Set<string>;
  left: number;
}

function look(schema: z.core.$ZodType, value: unknown, path: string, search: Search): void {
  if (typeof value !== "object" || value === null || search.left <= 0) return;
  search.left -= 1;
  const node = bare(schema);
  if (node instanceof z.ZodUnion) {
    const meant = node.options.find((option) => fits(option, value));
    if (meant !== undefined) look(meant, value, path, search);
  } else if (node instanceof z.ZodArray) {
    if (Array.isArray(value)) for (const item of value) look(node.element, item, path, search);
  } else if (node instanceof z.ZodObject && Object.keys(node.shape).length > 0) {
    for (const [name, inner] of Object.entries(value)) {
      const known = Object.hasOwn(node.shape, name) ? node.shape[name] : undefined;
      const at = `${path}.${name.slice(0, MOST_NAME)}`;
      if (known !== undefined) look(known, inner, at, search);
      else if (inner !== null && inner !== undefined) search.found.add(at);
    }
  }
}
