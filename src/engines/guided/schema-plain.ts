import { fields, isAnnotation, REFERENCES, type Schema } from "./schema-keywords.ts";

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
