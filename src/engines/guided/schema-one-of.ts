import { fields, kindOf, type Schema } from "./schema-keywords.ts";

/**
 * Whether what fits one of two schemas never fits the other, as far as it can be read off: by their
 * types, by their values, or by those of a property that one of them requires. `follow` gives the
 * schema that another refers to, and `spend` is told of each step.
 */
export function excludeEachOther(
  one: unknown,
  other: unknown,
  follow: (schema: unknown) => Schema | null,
  spend: (steps: number) => void,
): boolean {
  const [a, b] = [follow(one), follow(other)];
  if (a === null || b === null) return false;
  spend(sizeOf(a) + sizeOf(b));
  if (areApart(kindsIn(a), kindsIn(b)) || areApart(valuesIn(a), valuesIn(b))) return true;
  const [ofA, ofB] = [fields(a.properties), fields(b.properties)];
  if (ofA === null || ofB === null) return false;
  return Object.keys(ofA).some((name) => {
    if (!Object.hasOwn(ofB, name) || !(requires(a, name) || requires(b, name))) return false;
    const [inA, inB] = [follow(ofA[name]), follow(ofB[name])];
    if (inA === null || inB === null) return false;
    spend(sizeOf(inA) + sizeOf(inB));
    return areApart(valuesIn(inA), valuesIn(inB));
  });
}

/** How many steps a look at a schema takes. */
function sizeOf({ enum: values, properties, required }: Schema): number {
  const lists = [values, required].map((list) => (Array.isArray(list) ? list.length : 0));
  return lists.reduce((sum, length) => sum + length, 5 + Object.keys(properties ?? {}).length);
}

function areApart(a: readonly unknown[] | null, b: readonly unknown[] | null): boolean {
  if (a === null || b === null) return false;
  const known = new Set(a);
  return !b.some((value) => known.has(value));
}

/** As JSON, so that objects can be compared; null where there may be any. */
function valuesIn(schema: Schema): readonly string[] | null {
  const { enum: several, const: only } = schema;
  if (Array.isArray(several)) return several.map((value) => JSON.stringify(value));
  return only === undefined ? null : [JSON.stringify(only)];
}

/** Types that are named: a schema without any takes what its keywords say nothing of. */
function kindsIn({ type }: Schema): readonly string[] | null {
  if (type === undefined) return null;
  const types: unknown[] = Array.isArray(type) ? type : [type];
  // A whole number is a number too.
  return types.map((each) => (each === "integer" ? kindOf(0.5)[0] : each)).map(String);
}

function requires({ required }: Schema, name: string): boolean {
  return Array.isArray(required) && required.includes(name);
}
