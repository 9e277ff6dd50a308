import { fields, isAnnotation, REFERENCES, type Schema } from "./schema-keywords.ts";

/** The patterns that all of these schemas ask for, as zod writes several of one string; null where one asks for more. */
export function patternsIn(allOf: unknown): readonly unknown[] | null {
  if (!Array.isArray(allOf) || allOf.length === 0) return null;
  const parts = allOf.map(fields);
  const isPattern = (part: Schema | null) =>
    part !== null && Object.keys(part).every((name) => name === "pattern") && "pattern" in part;
  return parts.every(isPattern) ? parts.map((part) => part?.pattern) : null;
}

/** Without what says nothing: `allOf` of one schema and no others, and `false` where that is the default. */
export function plain(all: Schema): Schema {
  const { allOf, uniqueItems, ...rest } = all;
  const kept = uniqueItems === undefined || uniqueItems === false ? rest : { ...rest, uniqueItems };
  if (allOf === undefined) return kept;
  const only = Array.isArray(allOf) && allOf.length === 1 ? fields(allOf[0]) : null;
  const isAlone = Object.keys(kept).every(
    (name) => isAnnotation(name) || REFERENCES.has(name) || name === "nullable",
  );
  return only !== null && isAlone ? { ...kept, ...only } : { ...kept, allOf };
}
