import { GuideError } from "./guide-error.ts";
import { GuideMemory } from "./guide-memory.ts";
import {
  freshId,
  type Leaf,
  type LeafState,
  NOTHING,
  type Node,
  oneLess,
  type RepeatNode,
  type SequenceNode,
} from "./node.ts";

/** What follows when a node has ended: another one, or a sequence from one of its parts on. */
interface Rest {
  readonly id: number;
  readonly node: Node;
  /** The first of the sequence's parts that is left; 0 for a node as a whole. */
  readonly from: number;
  readonly next: Rest | null;
}

/** A leaf, what follows it, and all places within it that were come to. */
interface Family {
  readonly leaf: Leaf;
  readonly rest: Rest | null;
  readonly threads: Map<LeafState, Thread>;
}

/** One way in which the text so far fits: where its leaf stands, and what follows. */
export interface Thread {
  readonly id: number;
  readonly leaf: Leaf;
  readonly state: LeafState;
  readonly family: Family;
  /** The position that is this way alone, and no end. */
  alone: Position | null;
}

/** All the ways in which a text fits. The same ways are the same object, so that what follows is kept. */
export interface Position {
  readonly threads: readonly Thread[];
  /** Whether the text may end here. */
  readonly accepts: boolean;
  /** For each byte the next position, null where it may not come, undefined where nobody asked. */
  readonly next: (Position | null | undefined)[];
  /** Which tokens may come; kept by whoever asked. */
  tokens: Uint32Array | null;
  /** How often the machine had forgotten all when this was last asked what follows. */
  era: number;
}

/** A text that can be read in more ways at once may not come. */
const MOST_THREADS = 2_000;
/** Edges that are looked at between two bytes. */
const MOST_LOOKS = 50_000;
/** Positions that are kept; then all are forgotten and found anew as they are needed. */
const MOST_POSITIONS = 2_000;
const MOST_PARTS = 50_000;
/** Words of all masks that are kept: 4 MiB. */
const MOST_MASK_WORDS = 2 ** 20;
/** Bytes, about; a position's are those of a list that has been asked for any letter. */
const POSITION_BYTES = 2_000;
const PLACE_BYTES = 24;
const PART_BYTES = 200;

/**
 * Reads a text byte by byte along a grammar: a set of pushdown automata in lock step, whose stacks
 * share what they have in common. Its positions are found as they are needed and kept.
 */
export class Machine {
  readonly start: Position;
  readonly #dead: ReadonlySet<Node>;
  #rests = new Map<string, Rest>();
  #families = new Map<string, Family>();
  #threads = 0;
  #positions = new Map<string, Position>();
  /** All positions that lead to others, and all families that have threads: also of those forgotten. */
  #leading = new Set<Position>();
  #populated = new Set<Family>();
  #era = 0;
  #maskWords = 0;
  /** Of what is kept, and how much of it the memory was told. */
  #bytes = 0;
  #told = 0;
  #spent = 0;
  readonly #memory: GuideMemory;

  /**
   * @param dead the nodes of the grammar that no text fits
   * @param memory bounds what is kept, together with others
   * @throws GuideError
   */
  constructor(root: Node, dead: ReadonlySet<Node>, memory = new GuideMemory()) {
    this.#dead = dead;
    this.#memory = memory;
    const start = this.#closed([[root, null]], []);
    if (start === null)
      throw new GuideError("The grammar is too ambiguous: too many ways to read one text.");
    this.start = start;
  }

  /** After one more byte; null where it may not come, or too many ways to read the text would be open. */
  step(position: Position, byte: number): Position | null {
    if (position.era !== this.#era) this.#adopt(position);
    const known = position.next[byte];
    if (known !== undefined) return known;
    const threads: Thread[] = [];
    const begun: [Node, Rest | null][] = [];
    for (const { leaf, state, family } of position.threads) {
      this.#spent += leaf.cost;
      const after = leaf.step(state, byte);
      if (after === null) continue;
      const exit = leaf.exit(after);
      if (exit !== null) begun.push([exit, family.rest]);
      // One that has come to its only end says nothing of what may come.
      if (exit === null || leaf.goesOn(after)) threads.push(this.#thread(family, after));
    }
    const next = threads.length + begun.length === 0 ? null : this.#closed(begun, threads);
    // All may have been forgotten meanwhile.
    if (position.era === this.#era) position.next[byte] = next;
    return next;
  }

  /** Steps of single ways that were taken so far; those that were known cost nothing. */
  get spent(): number {
    return this.#spent;
  }

  /** Keeps which tokens may come at a position, for as long as there is room. */
  keep(position: Position, tokens: Uint32Array): void {
    if (position.era !== this.#era) this.#adopt(position);
    this.#take(4 * tokens.length);
    if (position.era !== this.#era) return;
    this.#maskWords += tokens.length;
    if (this.#maskWords > MOST_MASK_WORDS) {
      for (const other of this.#leading) other.tokens = null;
      this.#maskWords = tokens.length;
    }
    position.tokens = tokens;
  }

  /** Looks into nodes until only leaves and the end are left; null where those are too many. */
  #closed(waiting: [Node | null, Rest | null][], stepped: Thread[]): Position | null {
    if (waiting.length === 0) return this.#position(stepped, false);
    const threads = new Map<number, Thread>(stepped.map((thread) => [thread.id, thread]));
    const seen = new Map<Node, Set<Rest | null>>();
    let looks = 0;
    let accepts = false;
    for (let top = waiting.pop(); top !== undefined; top = waiting.pop()) {
      const [node, rest] = top;
      if (node === null || node === NOTHING) {
        looks += 1;
        this.#spent += 1;
        if (rest === null) accepts = true;
        else waiting.push(this.#goOn(rest));
        continue;
      }
      const before = seen.get(node);
      if (before?.has(rest)) continue;
      if (before === undefined) seen.set(node, new Set([rest]));
      else before.add(rest);
      const edges = node.kind === "either" ? node.parts.length : 1;
      looks += edges;
      this.#spent += 1 + edges;
      if (threads.size > MOST_THREADS || looks > MOST_LOOKS) return null;
      this.#open(node, rest, waiting, threads);
    }
    return this.#position([...threads.values()], accepts);
  }

  #open(
    node: Node,
    rest: Rest | null,
    waiting: [Node | null, Rest | null][],
    threads: Map<number, Thread>,
  ): void {
    switch (node.kind) {
      case "leaf": {
        const thread = this.#thread(this.#family(node, rest), node.start);
        threads.set(thread.id, thread);
        const exit = node.exit(node.start);
        if (exit !== null) waiting.push([exit, rest]);
        return;
      }
      case "sequence":
        waiting.push([node.parts[0] ?? null, this.#after(node, 1, rest)]);
        return;
      case "either":
        for (const part of node.parts) if (this.#isUsable(part)) waiting.push([part, rest]);
        return;
      case "repeat":
        if (node.least === 0) waiting.push([null, rest]);
        if (node.most > 0 && this.#isUsable(node.part)) waiting.push(this.#again(node, rest));
        return;
      case "rule":
        waiting.push([node.body, rest]);
        return;
      case "lazy":
        node.made ??= node.make((part) => this.#isUsable(part));
        waiting.push([node.made, rest]);
    }
  }

  #again(node: RepeatNode, rest: Rest | null): [Node, Rest | null] {
    const less = oneLess(node);
    return [node.part, less.most === 0 ? rest : this.#rest(less, rest)];
  }

  /** The next of what follows, and what follows that. */
  #goOn({ node, from, next }: Rest): [Node | null, Rest | null] {
    if (from === 0 || node.kind !== "sequence") return [node, next];
    return [node.parts[from] ?? null, this.#after(node, from + 1, next)];
  }

  #after(node: SequenceNode, from: number, next: Rest | null): Rest | null {
    return from < node.parts.length ? this.#rest(node, next, from) : next;
  }

  #isUsable(node: Node): boolean {
    return !this.#dead.has(node);
  }

  #rest(node: Node, next: Rest | null, from = 0): Rest {
    const name = `${node.id} ${from} ${next?.id ?? 0}`;
    const known = this.#rests.get(name);
    if (known !== undefined) return known;
    const fresh = { id: freshId(), node, from, next };
    this.#rests.set(name, fresh);
    this.#bytes += PART_BYTES;
    return fresh;
  }

  #family(leaf: Leaf, rest: Rest | null): Family {
    const name = `${leaf.id} ${rest?.id ?? 0}`;
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    const fresh = { leaf, rest, threads: new Map<LeafState, Thread>() };
    this.#families.set(name, fresh);
    this.#bytes += PART_BYTES;
    return fresh;
  }

  #thread(family: Family, state: LeafState): Thread {
    const known = family.threads.get(state);
    if (known !== undefined) return known;
    const fresh: Thread = { id: freshId(), leaf: family.leaf, state, family, alone: null };
    family.threads.set(state, fresh);
    this.#populated.add(family);
    this.#threads += 1;
    this.#bytes += PART_BYTES;
    return fresh;
  }

  #position(threads: Thread[], accepts: boolean): Position {
    const [only] = threads;
    const single = threads.length === 1 && !accepts && only !== undefined ? only : null;
    if (single !== null && single.alone !== null) return single.alone;
    if (threads.length > 1) threads.sort((a, b) => a.id - b.id);
    const name = `${accepts} ${threads.map(({ id }) => id).join(" ")}`;
    const known = this.#positions.get(name);
    if (known !== undefined) return known;
    if (
      this.#positions.size >= MOST_POSITIONS ||
      this.#threads + this.#families.size + this.#rests.size > MOST_PARTS
    )
      this.forget();
    this.#take(POSITION_BYTES + PLACE_BYTES * threads.length);
    const fresh: Position = { threads, accepts, next: [], tokens: null, era: this.#era };
    this.#positions.set(name, fresh);
    this.#leading.add(fresh);
    if (single !== null) single.alone = fresh;
    return fresh;
  }

  /** One from before all was forgotten leads to others again. */
  #adopt(position: Position): void {
    this.#take(POSITION_BYTES);
    position.era = this.#era;
    this.#leading.add(position);
  }

  /** So much more is kept, and what was not told of yet. */
  #take(bytes: number): void {
    const parts = this.#bytes - this.#told;
    this.#bytes += bytes;
    this.#told = this.#bytes;
    this.#memory.take(this, parts + bytes);
  }

  /** Positions lead to one another: whoever still has one must not keep all the others. */
  forget(): void {
    for (const position of this.#leading) {
      position.next.length = 0;
      position.tokens = null;
      for (const thread of position.threads) thread.alone = null;
    }
    for (const family of this.#populated) family.threads.clear();
    this.#memory.give(this, this.#told);
    this.#era += 1;
    this.#bytes = 0;
    this.#told = 0;
    this.#threads = 0;
    this.#maskWords = 0;
    this.#families = new Map();
    this.#positions = new Map();
    this.#rests = new Map();
    this.#leading = new Set();
    this.#populated = new Set();
  }
}
