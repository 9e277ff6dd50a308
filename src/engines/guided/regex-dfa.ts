import { type CharRange, type CharRanges, EVERY, meets } from "./char-ranges.ts";
import { parseRegex, type RegexNode } from "./regex-parse.ts";
import { SpecError } from "./spec-error.ts";
import { PLAIN } from "./token-trie.ts";
import { Work } from "./work.ts";

/**
 * A deterministic automaton over code points, from which every state can still reach an end. State 0
 * is the first.
 */
export interface CharDfa {
  readonly states: number;
  /** What leads on from each state, in order of the characters. */
  readonly moves: readonly (readonly Move[])[];
  readonly accepts: readonly boolean[];
}

export interface Move {
  readonly low: number;
  readonly high: number;
  readonly to: number;
}

/** More than these, and a pattern is refused: they bound its time, and exponential ones meet them. */
const MOST_NFA_STATES = 12_000;
const MOST_DFA_STATES = 2_000;
const MOST_NFA_STEPS = 40_000;

/** Any text. */
export const ANY_TEXT: CharDfa = {
  states: 1,
  moves: [EVERY.map(([low, high]) => ({ low, high, to: 0 }))],
  accepts: [true],
};

/**
 * The texts that an expression matches: as a whole, or, as JSON Schema has it, somewhere.
 * @throws SpecError
 */
export function regexDfa(source: string, where: "whole" | "somewhere", work = new Work()): CharDfa {
  const nfa = new Nfa(work);
  const node = parseRegex(source);
  const any: RegexNode = {
    kind: "repeat",
    part: { kind: "set", set: EVERY },
    least: 0,
    most: Number.POSITIVE_INFINITY,
  };
  nfa.build(where === "whole" ? node : { kind: "all", parts: [any, node, any] }, 0, 1);
  return trimmed(determined(nfa, work));
}

/**
 * For each state, how many plain characters it takes at least, whatever they are: as many as lead to
 * the nearest state that does not take them all.
 */
export function plainOf(dfa: CharDfa): number[] {
  const counts: number[] = Array.from({ length: dfa.states }, () => Number.POSITIVE_INFINITY);
  const before: number[][] = Array.from({ length: dfa.states }, () => []);
  const waiting: number[] = [];
  for (const [state, moves] of dfa.moves.entries()) {
    if (PLAIN.every(([low, high]) => covers(moves, low, high)))
      for (const { low, high, to } of moves) {
        if (meets(PLAIN, low, high)) before[to]?.push(state);
      }
    else {
      counts[state] = 0;
      waiting.push(state);
    }
  }
  for (const state of waiting) {
    for (const from of before[state] ?? []) {
      if (counts[from] !== Number.POSITIVE_INFINITY) continue;
      counts[from] = (counts[state] ?? 0) + 1;
      waiting.push(from);
    }
  }
  return counts;
}

/** @param moves in order of their characters */
function covers(moves: readonly Move[], low: number, high: number): boolean {
  let from = low;
  for (const move of moves) if (move.low <= from && move.high >= from) from = move.high + 1;
  return from > high;
}

interface Free {
  readonly to: number;
  readonly when: "always" | "start" | "end";
}

/** Thompson's construction. State 0 begins, state 1 accepts. */
class Nfa {
  readonly free: Free[][] = [[], []];
  readonly taking: { set: CharRanges; to: number }[][] = [[], []];
  readonly #work: Work;
  #steps = 0;

  constructor(work: Work) {
    this.#work = work;
  }

  build(node: RegexNode, from: number, to: number): void {
    switch (node.kind) {
      case "set":
        this.#work.spend(1);
        this.#steps += node.set.length;
        if (this.#steps > MOST_NFA_STEPS) throw tooComplex();
        this.taking[from]?.push({ set: node.set, to });
        return;
      case "start":
      case "end":
        this.#skip(from, to, node.kind);
        return;
      case "either":
        for (const part of node.parts) this.build(part, from, to);
        return;
      case "all": {
        let at = from;
        for (const part of node.parts) at = this.#after(part, at);
        this.#skip(at, to);
        return;
      }
      case "repeat": {
        let at = from;
        for (let i = 0; i < node.least; i++) at = this.#after(node.part, at);
        if (Number.isFinite(node.most)) {
          for (let i = node.least; i < node.most; i++) {
            this.#skip(at, to);
            at = this.#after(node.part, at);
          }
        } else {
          const loop = this.#fresh();
          this.#skip(at, loop);
          this.build(node.part, loop, loop);
          at = loop;
        }
        this.#skip(at, to);
        return;
      }
    }
  }

  #after(node: RegexNode, from: number): number {
    const next = this.#fresh();
    this.build(node, from, next);
    return next;
  }

  #skip(from: number, to: number, when: Free["when"] = "always"): void {
    this.#work.spend(1);
    this.free[from]?.push({ to, when });
  }

  #fresh(): number {
    const state = this.free.length;
    if (state >= MOST_NFA_STATES) throw tooComplex();
    this.#work.spend(2);
    this.free.push([]);
    this.taking.push([]);
    return state;
  }
}

function determined(nfa: Nfa, work: Work): CharDfa {
  const closed = (states: Iterable<number>, passes: (free: Free) => boolean): number[] => {
    const seen = new Set(states);
    for (const state of seen) {
      const edges = nfa.free[state] ?? [];
      work.spend(1 + edges.length);
      for (const free of edges) if (passes(free)) seen.add(free.to);
    }
    return [...seen];
  };
  const ids = new Map<string, number>();
  const sets: number[][] = [];
  const accepts: boolean[] = [];
  const idOf = (states: number[], first: boolean): number => {
    const name = `${first} ${states.sort((a, b) => a - b).join(" ")}`;
    const known = ids.get(name);
    if (known !== undefined) return known;
    const id = sets.length;
    if (id >= MOST_DFA_STATES) throw tooComplex();
    ids.set(name, id);
    sets.push(states);
    accepts.push(closed(states, ({ when }) => first || when !== "start").includes(1));
    return id;
  };
  idOf(
    closed([0], ({ when }) => when !== "end"),
    true,
  );
  const moves: Move[][] = [];
  for (let id = 0; id < sets.length; id++) {
    const taking = (sets[id] ?? []).flatMap((state) => nfa.taking[state] ?? []);
    const own: Move[] = [];
    for (const { set } of taking) work.spend(set.length);
    for (const { range, targets } of pieces(taking)) {
      work.spend(targets.length);
      const to = idOf(
        closed(targets, ({ when }) => when === "always"),
        false,
      );
      const last = own.at(-1);
      if (last !== undefined && last.to === to && last.high + 1 === range[0])
        own[own.length - 1] = { low: last.low, high: range[1], to };
      else own.push({ low: range[0], high: range[1], to });
    }
    moves.push(own);
  }
  return { states: sets.length, moves, accepts };
}

/** The characters that lead somewhere, cut where they begin to lead elsewhere. */
function pieces(
  taking: readonly { set: CharRanges; to: number }[],
): { range: CharRange; targets: number[] }[] {
  const begin = new Map<number, number[]>();
  const end = new Map<number, number[]>();
  const cuts = new Set<number>();
  for (const { set, to } of taking) {
    for (const [low, high] of set) {
      listAt(begin, low).push(to);
      listAt(end, high + 1).push(to);
      cuts.add(low).add(high + 1);
    }
  }
  const ordered = [...cuts].sort((a, b) => a - b);
  const open = new Map<number, number>();
  const found: { range: CharRange; targets: number[] }[] = [];
  for (const [index, low] of ordered.entries()) {
    for (const to of end.get(low) ?? []) {
      const left = (open.get(to) ?? 0) - 1;
      if (left === 0) open.delete(to);
      else open.set(to, left);
    }
    for (const to of begin.get(low) ?? []) open.set(to, (open.get(to) ?? 0) + 1);
    const next = ordered[index + 1];
    if (next !== undefined && open.size > 0)
      found.push({ range: [low, next - 1], targets: [...open.keys()] });
  }
  return found;
}

/** Without what leads nowhere. @throws SpecError when nothing is left */
export function trimmed(dfa: CharDfa): CharDfa {
  const before: number[][] = Array.from({ length: dfa.states }, () => []);
  for (const [from, moves] of dfa.moves.entries())
    for (const { to } of moves) before[to]?.push(from);
  const alive = new Set<number>();
  for (const [state, accepts] of dfa.accepts.entries()) if (accepts) alive.add(state);
  for (const state of alive) for (const from of before[state] ?? []) alive.add(from);
  if (!alive.has(0)) throw new SpecError("The regular expression matches no text at all.");
  const kept = [...alive].sort((a, b) => a - b);
  const renamed = new Map(kept.map((state, index) => [state, index]));
  return {
    states: kept.length,
    accepts: kept.map((state) => dfa.accepts[state] === true),
    moves: kept.map((state) =>
      (dfa.moves[state] ?? []).flatMap(({ low, high, to }) => {
        const target = renamed.get(to);
        return target === undefined ? [] : [{ low, high, to: target }];
      }),
    ),
  };
}

function tooComplex(): SpecError {
  return new SpecError(
    `The regular expression is too complex: it needs more than ${MOST_DFA_STATES} states.`,
  );
}

function listAt<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const known = lists.get(key);
  if (known !== undefined) return known;
  const fresh: V[] = [];
  lists.set(key, fresh);
  return fresh;
}
