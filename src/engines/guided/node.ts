/**
 * A grammar as a graph. Bytes are read by leaves, each a small automaton of its own; the other nodes
 * say which leaves follow one another.
 */
export type Node = Leaf | SequenceNode | EitherNode | RepeatNode | RuleNode | LazyNode;

export type LeafState = number | string;

/** Reads bytes. It never comes to a state from which no bytes lead to an exit. */
export interface Leaf {
  readonly kind: "leaf";
  readonly id: number;
  readonly start: LeafState;
  /** After this byte, or null where it may not come. */
  step(state: LeafState, byte: number): LeafState | null;
  /** What follows when the leaf ends here; null where it may not end. */
  exit(state: LeafState): Node | null;
  /** What a step takes, counted in those of the simplest leaves. */
  readonly cost: number;
  /** Whether any byte may come. */
  goesOn(state: LeafState): boolean;
  /** So many plain characters (`PLAIN` in token-trie.ts) may come, whatever they are; perhaps more. */
  plainCharacters(state: LeafState): number;
  /** Whether no more of them than that may come. */
  plainNoLonger(state: LeafState): boolean;
}

export interface SequenceNode {
  readonly kind: "sequence";
  readonly id: number;
  readonly parts: readonly Node[];
}

export interface EitherNode {
  readonly kind: "either";
  readonly id: number;
  readonly parts: readonly Node[];
}

export interface RepeatNode {
  readonly kind: "repeat";
  readonly id: number;
  readonly part: Node;
  readonly least: number;
  /** May be infinite. */
  readonly most: number;
  /** What is left of it after one more; made when it is first asked for. */
  less: RepeatNode | null;
}

/** Stands for a node that is known later, so that rules can name themselves. */
export interface RuleNode {
  readonly kind: "rule";
  readonly id: number;
  readonly name: string;
  body: Node | null;
}

/**
 * A node that is made when it is reached. `needs` is what it can't do without, and `begins` what may
 * be its first, or null where that is a byte of its own.
 */
export interface LazyNode {
  readonly kind: "lazy";
  readonly id: number;
  readonly needs: readonly Node[];
  readonly mayUse: readonly Node[];
  make(usable: (node: Node) => boolean): Node;
  made: Node | null;
}

let last = 0;

export function freshId(): number {
  last += 1;
  return last;
}

export function sequence(...parts: readonly Node[]): Node {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  return { kind: "sequence", id: freshId(), parts };
}

export function either(...parts: readonly Node[]): Node {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  return { kind: "either", id: freshId(), parts };
}

export function repeat(part: Node, least: number, most: number): RepeatNode {
  return { kind: "repeat", id: freshId(), part, least, most, less: null };
}

export function rule(name: string): RuleNode {
  return { kind: "rule", id: freshId(), name, body: null };
}

export function lazy(
  make: LazyNode["make"],
  needs: readonly Node[],
  mayUse: readonly Node[],
): LazyNode {
  return { kind: "lazy", id: freshId(), needs, mayUse, make, made: null };
}

/** What is left of a repetition after one more of its part. */
export function oneLess(node: RepeatNode): RepeatNode {
  if (node.least === 0 && node.most === Number.POSITIVE_INFINITY) return node;
  node.less ??= repeat(node.part, Math.max(0, node.least - 1), node.most - 1);
  return node.less;
}

/** Nothing at all. */
export const NOTHING: Node = { kind: "sequence", id: freshId(), parts: [] };
