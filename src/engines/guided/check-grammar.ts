import type { Node } from "./node.ts";
import { SpecError } from "./spec-error.ts";

/**
 * The nodes of a grammar that no finite text fits, such as a list whose every item needs another
 * list. They are left out of all choices.
 * @throws SpecError when the whole grammar is one of those, or a rule begins with itself
 */
export function deadNodes(root: Node): ReadonlySet<Node> {
  const { nodes, users } = graphOf(root);
  const usable = new Set<Node>();
  const waiting = nodes.filter((node) => isUsable(node, usable));
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (usable.has(node)) continue;
    usable.add(node);
    for (const user of users.get(node) ?? [])
      if (!usable.has(user) && isUsable(user, usable)) waiting.push(user);
  }
  if (!usable.has(root)) throw new SpecError("No finite text fits.");
  refuseLeftRecursion(nodes, users, usable);
  return new Set(nodes.filter((node) => !usable.has(node)));
}

/** All nodes, and for each the ones that have it as a part. */
function graphOf(root: Node): { nodes: Node[]; users: Map<Node, Node[]> } {
  const users = new Map<Node, Node[]>([[root, []]]);
  const nodes = [root];
  for (const node of nodes) {
    for (const part of partsOf(node)) {
      const known = users.get(part);
      if (known !== undefined) known.push(node);
      else {
        users.set(part, [node]);
        nodes.push(part);
      }
    }
  }
  return { nodes, users };
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

function isUsable(node: Node, usable: ReadonlySet<Node>): boolean {
  switch (node.kind) {
    case "leaf":
      return true;
    case "sequence":
      return node.parts.every((part) => usable.has(part));
    case "either":
      return node.parts.some((part) => usable.has(part));
    case "repeat":
      return node.least === 0 || usable.has(node.part);
    case "rule":
      return node.body !== null && usable.has(node.body);
    case "lazy":
      return node.needs.every((part) => usable.has(part));
  }
}

/** A rule that can come to itself without a byte in between would be looked into without an end. */
function refuseLeftRecursion(
  nodes: readonly Node[],
  users: ReadonlyMap<Node, readonly Node[]>,
  usable: ReadonlySet<Node>,
): void {
  const empty = new Set<Node>();
  const waiting = nodes.filter((node) => isEmpty(node, empty));
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (empty.has(node)) continue;
    empty.add(node);
    for (const user of users.get(node) ?? [])
      if (!empty.has(user) && isEmpty(user, empty)) waiting.push(user);
  }
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

function isEmpty(node: Node, empty: ReadonlySet<Node>): boolean {
  switch (node.kind) {
    case "leaf":
      return node.exit(node.start) !== null;
    case "sequence":
      return node.parts.every((part) => empty.has(part));
    case "either":
      return node.parts.some((part) => empty.has(part));
    case "repeat":
      return node.least === 0 || empty.has(node.part);
    case "rule":
      return node.body !== null && empty.has(node.body);
    case "lazy":
      return false;
  }
}

/** What can be the first of a node's parts. */
function beginsOf(node: Node, empty: ReadonlySet<Node>): Node[] {
  if (node.kind === "lazy") return [];
  if (node.kind !== "sequence") return [...partsOf(node)];
  const first = node.parts.findIndex((part) => !empty.has(part));
  return node.parts.slice(0, first === -1 ? undefined : first + 1);
}
