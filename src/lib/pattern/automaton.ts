import { type CharSet, LAST_CODE } from "./char-set.ts";
import { type Assertion, type Node, PatternError } from "./parse.ts";

/** A step that takes one character, or none where an assertion holds. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  /** Null takes no character. */
  readonly set: CharSet | null;
  /** What must hold for a step that takes none; null is nothing. */
  readonly assert: Assertion | null;
}

/** A nondeterministic automaton: what leads from `start` to `accept` is a match. */
export interface Automaton {
  readonly states: number;
  readonly start: number;
  readonly accept: number;
  readonly edges: readonly Edge[];
  /** Code unit to its class: units of one class take the same steps. */
  readonly classOf: Uint8Array;
  readonly classes: number;
  /** The first code unit of each class. */
  readonly sample: readonly number[];
}

/** A pattern that needs more is refused: counted repeats multiply. */
const MOST_STATES = 4000;
const MOST_CLASSES = 256;

/** The automaton of several patterns at once (Thompson's construction). @throws PatternError */
export function automatonOf(nodes: readonly Node[]): Automaton {
  const edges: Edge[] = [];
  let states = 2;
  const fresh = (): number => {
    if (states >= MOST_STATES) throw new PatternError(`it needs more than ${MOST_STATES} states`);
    states += 1;
    return states - 1;
  };
  const free = (from: number, to: number, assert: Assertion | null = null): void => {
    edges.push({ from, to, set: null, assert });
  };
  const build = (node: Node, from: number, to: number): void => {
    switch (node.kind) {
      case "set":
        edges.push({ from, to, set: node.set, assert: null });
        return;
      case "assert":
        free(from, to, node.what);
        return;
      case "either":
        for (const part of node.parts) build(part, from, to);
        return;
      case "all": {
        let at = from;
        for (const part of node.parts) {
          const next = fresh();
          build(part, at, next);
          at = next;
        }
        free(at, to);
        return;
      }
      case "repeat": {
        let at = from;
        const once = (): number => {
          const next = fresh();
          build(node.part, at, next);
          return next;
        };
        for (let i = 0; i < node.least; i++) at = once();
        if (Number.isFinite(node.most)) {
          for (let i = node.least; i < node.most; i++) {
            free(at, to);
            at = once();
          }
        } else {
          const loop = fresh();
          free(at, loop);
          build(node.part, loop, loop);
          at = loop;
        }
        free(at, to);
        return;
      }
    }
  };
  for (const node of nodes) build(node, 0, 1);
  return { states, start: 0, accept: 1, edges, ...classesOf(edges) };
}

/** Code units that no set tells apart are one class. */
function classesOf(edges: readonly Edge[]): Pick<Automaton, "classOf" | "classes" | "sample"> {
  const starts = new Set<number>([0]);
  for (const { set } of edges) {
    for (const [low, high] of set ?? []) {
      starts.add(low);
      if (high < LAST_CODE) starts.add(high + 1);
    }
  }
  const ordered = [...starts].sort((a, b) => a - b);
  const sets = [...new Set(edges.flatMap(({ set }) => (set === null ? [] : [set])))];
  const known = new Map<string, number>();
  const sample: number[] = [];
  const classOf = new Uint8Array(LAST_CODE + 1);
  for (const [index, start] of ordered.entries()) {
    const name = sets.map((set) => (holds(set, start) ? "1" : "0")).join("");
    let id = known.get(name);
    if (id === undefined) {
      id = sample.length;
      if (id >= MOST_CLASSES) throw new PatternError("it tells too many characters apart");
      known.set(name, id);
      sample.push(start);
    }
    classOf.fill(id, start, ordered[index + 1] ?? LAST_CODE + 1);
  }
  return { classOf, classes: sample.length, sample };
}

export function holds(set: CharSet, code: number): boolean {
  return set.some(([low, high]) => code >= low && code <= high);
}
