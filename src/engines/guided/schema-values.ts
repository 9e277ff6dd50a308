import { deadNodes } from "./check-grammar.ts";
import { Machine, type Position } from "./machine.ts";
import type { Node } from "./node.ts";
import {
  isAnnotation,
  kindOf,
  REFERENCES,
  type Schema,
  typesOf,
  VALUES,
} from "./schema-keywords.ts";
import { joinPath, SpecError } from "./spec-error.ts";
import type { Work } from "./work.ts";

/** What fits a schema without its values, for those of one type. */
type TypedNode = (type: string, rest: Schema) => Node;

/**
 * The values of a schema's `enum` and `const` that fit whatever else it says.
 * @throws SpecError where none does, or what else it says can't be tried on them
 */
export function valuesIn(
  all: Schema,
  path: string,
  work: Work,
  typed: TypedNode,
): readonly unknown[] {
  if (all.enum !== undefined && !Array.isArray(all.enum))
    throw new SpecError("'enum' is a list of values.", joinPath(path, "enum"));
  if (all.enum?.length === 0)
    throw new SpecError("'enum' has no values: nothing fits.", joinPath(path, "enum"));
  let values: unknown[] = all.enum ?? [all.const];
  work.spend(values.length);
  if (all.enum !== undefined && all.const !== undefined) {
    const only = JSON.stringify(all.const);
    values = values.filter((value) => JSON.stringify(value) === only);
  }
  const rest = Object.fromEntries(Object.entries(all).filter(([name]) => !VALUES.has(name)));
  const types = all.type === undefined ? null : typesOf(all, path);
  if (types !== null)
    values = values.filter((value) => kindOf(value).some((kind) => types.includes(kind)));
  const constraint = Object.keys(rest).find(
    (name) => name !== "type" && !isAnnotation(name) && !REFERENCES.has(name),
  );
  if (constraint !== undefined) {
    if (values.some((value) => typeof value === "object" && value !== null))
      throw new SpecError(
        `'${constraint}' can't stand beside values that are objects or lists.`,
        joinPath(path, constraint),
      );
    values = fitting(values, work, (type) => typed(type, rest));
  }
  if (values.length === 0) throw new SpecError("None of the values fits the rest.", path);
  return values;
}

/** The strings, numbers, booleans and nulls that fit. Keywords of other types say nothing of them. */
function fitting(values: readonly unknown[], work: Work, typed: (type: string) => Node): unknown[] {
  const machines = new Map<string, Machine>();
  const machineFor = (type: string): Machine => {
    const known = machines.get(type);
    if (known !== undefined) return known;
    const node = typed(type);
    const fresh = new Machine(node, deadNodes(node, work));
    machines.set(type, fresh);
    return fresh;
  };
  return values.filter((value) => {
    const [type] = kindOf(value);
    return type !== undefined && reads(machineFor(type), JSON.stringify(value), work);
  });
}

function reads(machine: Machine, text: string, work: Work): boolean {
  let at: Position | null = machine.start;
  for (const byte of new TextEncoder().encode(text)) {
    if (at === null) return false;
    const before = machine.spent;
    at = machine.step(at, byte);
    work.spend(1 + machine.spent - before);
  }
  return at?.accepts === true;
}
