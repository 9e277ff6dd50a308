import { type CharDfa, type Move, trimmed } from "./char-dfa.ts";
import { type CharRange, type CharRanges, EVERY } from "./char-ranges.ts";
import { bothOf, oneWithout } from "./dfa-algebra.ts";
import { hasAhead, waysOf } from "./regex-ahead.ts";
import { parseRegex, type RegexNode } from "./regex-parse.ts";
import { SpecError } from "./spec-error.ts";
import { Work } from "./work.ts";

/** More than these, and a pattern is refused: they bound its time, and exponential ones meet them. */
const MOST_NFA_STATES = 12_000;
const MOST_DFA_STATES = 2_000;
const MOST_NFA_STEPS = 40_000;

/**
 * The texts that an expression matches: as a whole, or, as JSON Schema has it, somewhere.
 * @throws SpecError
 */
export function regexDfa(source: string, where: "whole" | "somewhere", work = new Work()): CharDfa {
  const node = parseRegex(source);
  const dfa = dfaOf(where === "whole" ? node : somewhere(node), work);
  if (dfa === null) throw new SpecError("The regular expression matches no text at all.");
  return dfa;
}

const ANY: RegexNode = {
  kind: "repeat",
  part: { kind: "set", set: EVERY },
  least: 0,
  most: Number.POSITIVE_INFINITY,
};

/** With any text in front and behind, but where it says itself that there is none. */
function somewhere(node: RegexNode): RegexNode {
  const parts = node.kind === "all" ? node.parts : [node];
  const front = parts[0]?.kind === "start" ? [] : [ANY];
  const behind = parts.at(-1)?.kind === "end" ? [] : [ANY];
  return { kind: "all", parts: [...front, ...parts, ...behind] };
}

/** Null where no text fits. */
function dfaOf(node: RegexNode, work: Work): CharDfa | null {
  if (!hasAhead(node)) return automaton(node, work);
  const found = waysOf(node).flatMap((way) => wayDfa(way, work) ?? []);
  const [only = null] = found;
  if (found.length < 2) return only;
  const parts = found.map((dfa): RegexNode => ({ kind: "automaton", dfa }));
  return automaton({ kind: "either", parts }, work);
}

/** From its end: what follows a look ahead is also, or is not, what was looked for. */
function wayDfa(way: readonly RegexNode[], work: Work): CharDfa | null {
  /** The last first. */
  let rest: RegexNode[] = [];
  for (const part of way.toReversed()) {
    if (part.kind !== "ahead") {
      rest.push(part);
      continue;
    }
    const after = automaton({ kind: "all", parts: rest.toReversed() }, work);
    const seen = dfaOf({ kind: "all", parts: [part.part, ANY] }, work);
    if (after === null || (seen === null && !part.not)) return null;
    const combine = part.not ? oneWithout : bothOf;
    const dfa = seen === null ? after : combine(after, seen, work);
    if (dfa === null) return null;
    rest = [{ kind: "automaton", dfa }];
  }
  const [made, before] = rest;
  const isFirst = before === undefined || (rest.length === 2 && before.kind === "start");
  if (made?.kind === "automaton" && isFirst) return made.dfa;
  return automaton({ kind: "all", parts: rest.toReversed() }, work);
}

function automaton(node: RegexNode, work: Work): CharDfa | null {
  const nfa = new Nfa(work);
  nfa.build(node, 0, 1);
  return trimmed(determined(nfa, work));
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
        this.#take(from, node.set, to);
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
      case "automaton": {
        const { moves, accepts } = node.dfa;
        const states = moves.map(() => this.#fresh());
        const at = (state: number): number => states[state] ?? from;
        this.#skip(from, at(0));
        for (const [state, own] of moves.entries()) {
          if (accepts[state] === true) this.#skip(at(state), to);
          for (const { low, high, to: next } of own) this.#take(at(state), [[low, high]], at(next));
        }
        return;
      }
      case "ahead":
        throw new Error("a look ahead is resolved before this");
    }
  }

  #take(from: number, set: CharRanges, to: number): void {
    this.#work.spend(1);
    this.#steps += set.length;
    if (this.#steps > MOST_NFA_STEPS) throw tooComplex();
    this.taking[from]?.push({ set, to });
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
