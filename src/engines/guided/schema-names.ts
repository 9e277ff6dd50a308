import { isAnnotation, REFERENCES, type Schema } from "./schema-keywords.ts";
import { allowsAnyText } from "./schema-plain.ts";

/** Choices in choices. */
const MOST_DEPTH = 8;

/**
 * The names that a `propertyNames` allows, "any", or "unknown" where it does not list them. `follow` gives the
 * schema that another refers to, and `spend` is told of each step.
 */
export function namesIn(
  propertyNames: unknown,
  follow: (schema: unknown) => Schema | null,
  spend: (steps: number) => void,
  depth = 0,
): readonly string[] | "any" | "unknown" {
  if (propertyNames === undefined || propertyNames === true) return "any";
  if (propertyNames === false) return [];
  const all = depth > MOST_DEPTH ? null : follow(propertyNames);
  if (all === null) return "unknown";
  spend(1 + Object.keys(all).length);
  if (allowsAnyText(all)) return "any";
  const { type, enum: several, const: only, anyOf, ...rest } = all;
  const isText = type === undefined || allowsAnyText({ type });
  if (!isText || !Object.keys(rest).every((name) => isAnnotation(name) || REFERENCES.has(name)))
    return "unknown";
  if (Array.isArray(anyOf)) {
    if (several !== undefined || only !== undefined) return "unknown";
    const found = anyOf.map((each) => namesIn(each, follow, spend, depth + 1));
    if (found.includes("unknown")) return "unknown";
    return found.includes("any") ? "any" : found.flat();
  }
  const values: unknown[] = Array.isArray(several) ? several : [only];
  spend(values.length);
  return values.flatMap((value) =>
    typeof value === "string" && (only === undefined || value === only) ? [value] : [],
  );
}
