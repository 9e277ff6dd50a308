import type { Node } from "./node.ts";
import { SpecError } from "./spec-error.ts";
import { Work } from "./work.ts";

/**
 * The nodes of a grammar that no finite text fits, such as a list whose every item needs another
 * list. They are left out of all choices.
 * @throws SpecError when the whole grammar is one of those, a rule begins with itself, or it is too large
 */
export function deadNodes(root: Node, work = new Work()): ReadonlySet<Node> {
  const nodes = nodesOf(root, work);
  const usable = reached(nodes, usableBy);
  if (!usable.has(root)) throw new SpecError("No finite text fits.");
  refuseLeftRecursion(nodes, usable);
  return new Set(nodes.filter((node) => !usable.has(node)));
}

/** Each edge is looked at some times more. */
const WORK_AN_EDGE = 3;

function nodesOf(root: Node, work: Work): readonly Node[] {
  const found = new Set([root]);
  for (const node of found) {
    const parts = partsOf(node);
    work.spend(WORK_AN_EDGE * (1 + parts.length));
    for (const part of parts) found.add(part);
  }
  return [...found];
}

function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "leaf":
      return [];
    case "sequence":
    case "either":
      return node.parts;
    case "repeat":
      return [node.part];
    case "rule":
      return node.body === null ? [] : [node.body];
    case "lazy":
      return [...node.needs, ...node.mayUse];
  }
}

/** Of which parts a node needs all, or one, to have what is asked. */
interface Needs {
  readonly all: boolean;
  readonly parts: readonly Node[];
}

const NOTHING_NEEDED: Needs = { all: true, parts: [] };
const NEVER: Needs = { all: false, parts: [] };

/** The nodes that have what they need, or come to have it by others that do: each edge is looked at once. */
function reached(nodes: readonly Node[], needsOf: (node: Node) => Needs): ReadonlySet<Node> {
  const found = new Set<Node>();
  const missing = new Map<Node, number>();
  const users = new Map<Node, Node[]>();
  for (const node of nodes) {
    const { all, parts } = needsOf(node);
    const different = new Set(parts);
    const count = all ? different.size : 1;
    missing.set(node, count);
    if (count === 0) found.add(node);
    for (const part of different) {
      const known = users.get(part);
      if (known === undefined) users.set(part, [node]);
      else known.push(node);
    }
  }
  for (const node of found)
    for (const user of users.get(node) ?? []) {
      const left = (missing.get(user) ?? 0) - 1;
      missing.set(user, left);
      if (left === 0) found.add(user);
    }
  return found;
}

/** A finite text fits. */
function usableBy(node: Node): Needs {
  switch (node.kind) {
    case "leaf":
      return NOTHING_NEEDED;
    case "sequence":
      return { all: true, parts: node.parts };
    case "either":
      return { all: false, parts: node.parts };
    case "repeat":
      return node.least === 0 ? NOTHING_NEEDED : { all: true, parts: [node.part] };
    case "rule":
      return node.body === null ? NEVER : { all: true, parts: [node.body] };
    case "lazy":
      return { all: true, parts: node.needs };
  }
}

/** The empty text fits. */
function emptyBy(node: Node): Needs {
  if (node.kind === "leaf") return node.exit(node.start) === null ? NEVER : NOTHING_NEEDED;
  return node.kind === "lazy" ? NEVER : usableBy(node);
}

/** A rule that can come to itself without a byte in between would be looked into without an end. */
function refuseLeftRecursion(nodes: readonly Node[], usable: ReadonlySet<Node>): void {
  const empty = reached(nodes, emptyBy);
  const done = new Set<Node>();
  const open = new Set<Node>();
  for (const root of nodes) {
    const path: { node: Node; begins: Node[] }[] = [{ node: root, begins: [root] }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.begins.pop();
      if (next === undefined) {
        path.pop();
        open.delete(top.node);
        done.add(top.node);
        continue;
      }
      if (open.has(next))
        throw new SpecError(
          `${next.kind === "rule" ? `'${next.name}'` : "A rule"} begins with itself: put something in front of it.`,
        );
      if (done.has(next) || !usable.has(next)) continue;
      open.add(next);
      path.push({ node: next, begins: beginsOf(next, empty) });
    }
  }
}

/** What can be the first of a node's parts. */
function beginsOf(node: Node, empty: ReadonlySet<Node>): Node[] {
  if (node.kind === "lazy") return [];
  if (node.kind !== "sequence") return [...partsOf(node)];
  const first = node.parts.findIndex((part) => !empty.has(part));
  return node.parts.slice(0, first === -1 ? undefined : first + 1);
}
