import { overlapsItself } from "../guided/raw-text.ts";
import { JsonScan } from "./json-scan.ts";
import type { CallShape, PairsShape } from "./syntax.ts";

/** A call that a template was made to write. */
export interface WrittenCall {
  readonly name: string;
  readonly given: { readonly [key: string]: unknown };
}

/** Where a call stands in a text, and its form. */
export interface Found {
  readonly from: number;
  readonly to: number;
  readonly shape: CallShape;
}

/** The first call of this name in a text; null where it is in no form that we know. */
export function findCall(
  text: string,
  from: number,
  { name, given }: WrittenCall,
  pairs: PairsShape | null,
): Found | null {
  const at = text.indexOf(name, from);
  if (at === -1) return null;
  for (
    let open = text.indexOf("{", from);
    open !== -1 && open < at;
    open = text.indexOf("{", open + 1)
  ) {
    const to = new JsonScan().push(text, open);
    const shape = objectShape(text.slice(open, to), { name, given });
    if (shape !== null) return { from: open, to, shape };
  }
  if (pairs !== null) {
    const written = `${name}${pairs.afterName}${pairsOf(pairs, given)}`;
    if (text.startsWith(written, at)) return { from: at, to: at + written.length, shape: pairs };
  }
  const open = text.indexOf("{", at);
  const middle = text.slice(at + name.length, open);
  if (open === -1 || middle === "") return null;
  const to = new JsonScan().push(text, open);
  if (!isSame(parsed(text.slice(open, to)), given)) return null;
  return { from: at, to, shape: { kind: "named", middle } };
}

function pairsOf(shape: PairsShape, given: WrittenCall["given"]): string {
  const { beforeKey, afterKey, afterValue } = shape;
  return Object.entries(given)
    .map(([key, value]) => `${beforeKey}${key}${afterKey}${value}${afterValue}`)
    .join("");
}

type Pair = readonly [key: string, value: string | number];

/**
 * The marks around a call's arguments, where a template writes their values as text: a string without
 * quotes, and a number alike. Null where it does not.
 * @param pairs the two arguments that the call has
 */
export function findPairs(
  text: string,
  from: number,
  name: string,
  pairs: readonly [Pair, Pair],
): PairsShape | null {
  let at = text.indexOf(name, from);
  if (at === -1) return null;
  at += name.length;
  const between: string[] = [];
  for (const part of pairs.flat().map(String)) {
    const next = text.indexOf(part, at);
    if (next === -1) return null;
    between.push(text.slice(at, next));
    at = next + part.length;
  }
  const [opening = "", afterKey = "", middle = "", again] = between;
  if (afterKey !== again || afterKey.trim() === "") return null;
  const beforeKey = keyMark(opening, middle);
  const afterValue = middle.slice(0, middle.length - beforeKey.length);
  const mark = afterValue.trim();
  if (mark === "" || overlapsItself(mark) || !text.startsWith(afterValue, at)) return null;
  const afterName = opening.slice(0, opening.length - beforeKey.length);
  return { kind: "pairs", afterName, beforeKey, afterKey, afterValue };
}

/** What both texts end with, from its last tag on. */
function keyMark(one: string, other: string): string {
  let size = 0;
  while (size < one.length && one.at(-1 - size) === other.at(-1 - size)) size++;
  const common = one.slice(one.length - size);
  return /[<[][^<[]*$/.exec(common)?.[0] ?? common;
}

function objectShape(text: string, { name, given }: WrittenCall): CallShape | null {
  const value = parsed(text);
  if (typeof value !== "object" || value === null) return null;
  const entries = Object.entries(value);
  const named = entries.find(([, field]) => field === name);
  const held = entries.find(([, field]) => isSame(field, given));
  if (named === undefined || held === undefined) return null;
  return { kind: "object", name: named[0], arguments: held[0] };
}

function isSame(value: unknown, given: WrittenCall["given"]): boolean {
  return JSON.stringify(value) === JSON.stringify(given);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
