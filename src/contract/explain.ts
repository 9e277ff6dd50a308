import type { z } from "zod";
import { choices, expected, schemaAt } from "./expected.ts";

/** What is wrong with a request, as OpenAI's errors say it. `param` is null when it is the whole body. */
export interface Explanation {
  readonly param: string | null;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * Says in one sentence what was wrong, where, and what would be right. Shows at most a short piece
 * of what was sent. `issue` must come from a parse with `silent` as its error map.
 */
export function explain(schema: z.core.$ZodType, body: unknown, issue: Issue): Explanation {
  const found = innermost(issue);
  const value = valueAt(body, found.path);
  if (found.path.length === 0) {
    return {
      param: null,
      message: `The request body must be a JSON object, but it is ${kindOf(value)}.`,
    };
  }
  const param = paramOf(found.path);
  return { param, message: sentence(param, found, value, schemaAt(schema, body, found.path)) };
}

/**
 * An error map that leaves every message empty, so that only the ones a schema gives of its own are
 * left, and nothing is spent on wording the others.
 */
export const silent = (): string => "";

function sentence(
  param: string,
  issue: Issue,
  value: unknown,
  schema: z.core.$ZodType | null,
): string {
  if (issue.code === "custom") return issue.message;
  const wanted = schema === null ? "another value" : expected(schema);
  if (value === undefined) return `Missing required parameter: '${param}'. Expected ${wanted}.`;
  if (issue.code === "invalid_key") {
    return `Invalid key in '${param}': ${issue.issues[0]?.message || "it is not allowed there."}`;
  }
  if (issue.message !== "") return `Invalid value for '${param}': ${issue.message}`;
  const supported = supportedBy(issue, schema);
  if (supported.length > 0 && typeof value === "string") {
    return `Invalid value for '${param}': ${show(value)}. Supported values are: ${supported.join(", ")}.`;
  }
  if (supported.length > 0) {
    return `Invalid type for '${param}': expected one of ${supported.join(", ")}, but got ${kindOf(value)}.`;
  }
  if (issue.code === "invalid_type" || issue.code === "invalid_union") {
    const got =
      issue.code === "invalid_type" && issue.expected === "int" ? show(value) : kindOf(value);
    return `Invalid type for '${param}': expected ${wanted}, but got ${got}.`;
  }
  return `Invalid value for '${param}': expected ${wanted}, but got ${show(value)}.`;
}

function supportedBy(issue: Issue, schema: z.core.$ZodType | null): string[] {
  if (issue.code === "invalid_value") return issue.values.map((value) => `'${String(value)}'`);
  if (issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)) {
    return issue.options.map((value) => `'${String(value)}'`);
  }
  return schema === null ? [] : choices(schema);
}

/**
 * Follows failed unions down to the option the caller most likely meant: the one that fits the
 * value's kind and so fails deeper inside. Where none fits, the union itself is to blame.
 */
function innermost(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  let best: Issue | null = null;
  for (const [first] of issue.errors) {
    if (first === undefined) continue;
    const inner = innermost(first);
    if (inner.path.length === 0 && isMismatch(inner)) continue;
    if (best === null || inner.path.length > best.path.length) best = inner;
  }
  return best === null ? issue : { ...best, path: [...issue.path, ...best.path] };
}

function isMismatch(issue: Issue): boolean {
  return (
    issue.code === "invalid_type" ||
    issue.code === "invalid_value" ||
    issue.code === "invalid_union"
  );
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
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return kindOf(value);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
