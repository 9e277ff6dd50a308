import type { z } from "zod";
import { choices, expected, optionsOf, quoted, schemaAt } from "./expected.ts";

/** What is wrong with a request, as OpenAI's errors say it. `param` is null when it is the whole body. */
export interface Explanation {
  readonly param: string | null;
  readonly message: string;
}

/** A name that a caller made up is shown so far. */
const MOST_NAME = 100;

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * Says in one sentence what was wrong, where, and what would be right. Shows at most a short piece
 * of what was sent. `issue` must come from a parse with `silent` as its error map.
 */
export function explain(schema: z.core.$ZodType, body: unknown, issue: Issue): Explanation {
  const problem = innermost(schema, body, issue, []);
  if (problem.issue.code === "unrecognized_keys") {
    const param = paramOf([...problem.path, ...problem.issue.keys.slice(0, 1)]).slice(0, MOST_NAME);
    return { param, message: `Unknown parameter: '${param}'.` };
  }
  if (problem.path.length === 0) {
    return {
      param: null,
      message: `The request body must be a JSON object, but it is ${kindOf(body)}.`,
    };
  }
  const param = paramOf(problem.path);
  return { param, message: sentence(param, problem) };
}

/**
 * An error map that leaves every message empty, so that only the ones a schema gives of its own are
 * left, and nothing is spent on wording the others.
 */
export const silent = (): string => "";

/** One thing that is wrong: where, what was sent there, and the schema it should have met. */
interface Problem {
  readonly issue: Issue;
  readonly path: Path;
  readonly value: unknown;
  readonly schema: z.core.$ZodType | null;
}

/**
 * Follows failed unions down to the option the caller most likely meant: the one that finds nothing
 * but the list's length wrong, or else the one that fits the value's kind and got furthest in it.
 * Where none fits, the union itself is to blame.
 */
function innermost(
  schema: z.core.$ZodType | null,
  body: unknown,
  issue: Issue,
  prefix: Path,
): Problem {
  const path = [...prefix, ...issue.path];
  const value = valueAt(body, issue.path);
  const here = schema === null ? null : schemaAt(schema, body, issue.path);
  let best: Problem | null = null;
  if (issue.code === "invalid_union") {
    const options = here === null ? [] : optionsOf(here);
    for (const [index, [first]] of issue.errors.entries()) {
      if (first === undefined) continue;
      const inner = innermost(options[index] ?? null, value, first, path);
      if (inner.path.length === path.length && isOtherKind(inner.issue, value)) continue;
      if (inner.path.length === path.length && inner.issue.code === "too_big") return inner;
      if (best === null || isFurther(inner.path, best.path) || isNearer(inner, best)) best = inner;
    }
  }
  return best ?? { issue, path, value, schema: here };
}

/** Whether an option failed because the value is of another kind altogether, so that it was not meant. */
function isOtherKind(issue: Issue, value: unknown): boolean {
  if (issue.code === "invalid_value") return typeof issue.values[0] !== typeof value;
  if (isRightKind(issue)) return false;
  return issue.code === "invalid_type" || issue.code === "invalid_union";
}

/** Whether of two options that failed at the same place only the first takes what is of this kind. */
function isNearer(one: Problem, other: Problem): boolean {
  return (
    one.path.length === other.path.length &&
    !isFurther(other.path, one.path) &&
    isOtherKind(other.issue, other.value) &&
    !isOtherKind(one.issue, one.value)
  );
}

function isFurther(path: Path, than: Path): boolean {
  for (const [depth, key] of path.entries()) {
    const other = than[depth];
    if (typeof key === "number" && typeof other === "number" && key !== other) return key > other;
  }
  return path.length > than.length;
}

function sentence(param: string, { issue, value, schema }: Problem): string {
  if (issue.code === "custom") return issue.message;
  const supported = supportedBy(issue, schema);
  const wanted = `${wantedBy(schema, supported)}${ceiling(issue, value)}`;
  if (value === undefined) return `Missing required parameter: '${param}'. Expected ${wanted}.`;
  if (issue.message !== "") return `Invalid value for '${param}': ${issue.message}`;
  if (supported.length > 0 && typeof value === "string") {
    return `Invalid value for '${param}': ${show(value)}. Supported values are: ${supported.join(", ")}.`;
  }
  const isOther = issue.code !== "invalid_value" || isOtherKind(issue, value);
  if (
    issue.code === "invalid_type" ||
    (supported.length > 0 && isOther) ||
    issue.code === "invalid_union"
  ) {
    return `Invalid type for '${param}': expected ${wanted}, but got ${isRightKind(issue) ? show(value) : kindOf(value)}.`;
  }
  return `Invalid value for '${param}': expected ${wanted}, but got ${show(value)}.`;
}

/** Whether the kind alone would not say what was wrong: a fraction for an integer, a word in a query's number. */
function isRightKind(issue: Issue): boolean {
  if (issue.code !== "invalid_type") return false;
  return issue.expected === "int" || ("received" in issue && issue.received === "NaN");
}

function wantedBy(schema: z.core.$ZodType | null, supported: readonly string[]): string {
  if (schema !== null) return expected(schema);
  return supported.length > 0 ? `one of ${supported.join(", ")}` : "another value";
}

/** The bound of whole numbers itself, which is worth naming only where it was passed. */
function ceiling(issue: Issue, value: unknown): string {
  const most = Number.MAX_SAFE_INTEGER;
  const passed = issue.code === "too_big" && issue.maximum === most && Number(value) > most;
  return passed ? ` and at most ${most}` : "";
}

function supportedBy(issue: Issue, schema: z.core.$ZodType | null): string[] {
  if (issue.code === "invalid_value") return issue.values.map(quoted);
  if (issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)) {
    return issue.options.map(quoted);
  }
  return schema === null ? [] : choices(schema);
}

/** The value at a path, or undefined where the path leaves the value. */
export function valueAt(body: unknown, path: Path): unknown {
  let value = body;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** `messages[0].content[1].text`. Long keys, which only a caller can have made up, are cut. */
function paramOf(path: Path): string {
  let param = "";
  for (const key of path) {
    if (typeof key === "number") param += `[${key}]`;
    else param += `${param === "" ? "" : "."}${cut(String(key), 40)}`;
  }
  return param;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return Number.isFinite(value) ? "a number" : "a number too large";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function show(value: unknown): string {
  if (typeof value === "string") {
    return value.length <= 60 ? `'${value}'` : `'${cut(value, 40)}' (${value.length} characters)`;
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? "an empty array" : `an array of ${value.length} items`;
  }
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return kindOf(value);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
