import type { RegexNode } from "./regex-parse.ts";
import { SpecError } from "./spec-error.ts";

/** More than these, and an expression is refused. */
const MOST_WAYS = 200;

export function hasAhead(node: RegexNode): boolean {
  switch (node.kind) {
    case "ahead":
      return true;
    case "all":
    case "either":
      return node.parts.some(hasAhead);
    case "repeat":
      return hasAhead(node.part);
    default:
      return false;
  }
}

/**
 * An expression as its alternatives, each of them a list in which every look ahead stands by itself,
 * so that what follows it is all that follows it. @throws SpecError where that can't be
 */
export function waysOf(node: RegexNode): (readonly RegexNode[])[] {
  const ways = spread(node);
  for (const way of ways) refuseStart(way);
  return ways;
}

function spread(node: RegexNode): (readonly RegexNode[])[] {
  if (node.kind === "ahead" || !hasAhead(node)) return [[node]];
  switch (node.kind) {
    case "either":
      return bounded(node.parts.flatMap(spread));
    case "all":
      return joined(node.parts);
    case "repeat":
      if (node.most !== 1)
        throw new SpecError("Looking ahead inside of what is repeated can't be enforced.");
      return node.least === 0 ? [[], ...spread(node.part)] : spread(node.part);
    default:
      return [[node]];
  }
}

/** One after the other; parts that look nowhere are only added, as there may be many. */
function joined(parts: readonly RegexNode[]): RegexNode[][] {
  let ways: RegexNode[][] = [[]];
  for (const part of parts) {
    const next = spread(part);
    const [only] = next;
    if (next.length === 1 && only !== undefined) for (const way of ways) way.push(...only);
    else ways = bounded(ways.flatMap((start) => next.map((end) => [...start, ...end])));
  }
  return ways;
}

function bounded<Ways extends readonly unknown[]>(ways: Ways): Ways {
  if (ways.length > MOST_WAYS)
    throw new SpecError(
      `The regular expression is too complex: with what it looks ahead for it has more than ${MOST_WAYS} alternatives.`,
    );
  return ways;
}

/** What follows a look ahead is read by itself, where every beginning is that of a text. */
function refuseStart(way: readonly RegexNode[]): void {
  const first = way.findIndex(({ kind }) => kind === "ahead");
  if (first !== -1 && way.slice(first).some(hasStart))
    throw new SpecError("A ^ inside of or behind a look ahead can't be enforced.");
}

function hasStart(node: RegexNode): boolean {
  switch (node.kind) {
    case "start":
      return true;
    case "all":
    case "either":
      return node.parts.some(hasStart);
    case "repeat":
    case "ahead":
      return hasStart(node.part);
    default:
      return false;
  }
}
