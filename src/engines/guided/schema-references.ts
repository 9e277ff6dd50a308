import { fields, type Schema } from "./schema-keywords.ts";
import { SpecError } from "./spec-error.ts";
import type { Work } from "./work.ts";

/** References of references, to find out what `oneOf` tells apart. */
const MOST_FOLLOWED = 16;
const IS_HERE = /^#(\/|$)/;

/** Whether it names a part of the schema that it stands in. */
export function isReference(reference: unknown): reference is string {
  return typeof reference === "string" && IS_HERE.test(reference);
}

/**
 * What a reference names in the schema `root`: RFC 6901, as a fragment.
 * @throws SpecError with `path` where there is nothing
 */
export function targetOf(root: unknown, reference: string, path: string, work: Work): unknown {
  let at = root;
  for (const part of reference.split("/").slice(1)) {
    work.spend(1);
    const name = decoded(part).replaceAll("~1", "/").replaceAll("~0", "~");
    const inside = Array.isArray(at) ? at : fields(at);
    if (inside === null || !Object.hasOwn(inside, name))
      throw new SpecError(`'${reference}' is not in the schema.`, path);
    at = Reflect.get(inside, name);
  }
  return at;
}

/** The schema at the end of references in `root`; null where there is none, or no end. */
export function followed(root: unknown, schema: unknown, path: string, work: Work): Schema | null {
  let at = schema;
  for (let steps = 0; steps < MOST_FOLLOWED; steps++) {
    const all = fields(at);
    if (all === null || !isReference(all.$ref)) return all;
    at = targetOf(root, all.$ref, path, work);
  }
  return null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}
