import { deadNodes } from "./check-grammar.ts";
import { grammarOf } from "./grammar.ts";
import { GuideError } from "./guide-error.ts";
import { GuideMemory } from "./guide-memory.ts";
import { Kept } from "./kept.ts";
import { Machine, type Position } from "./machine.ts";
import type { GuideSpec } from "./spec.ts";
import { SpecError } from "./spec-error.ts";
import { tokensAt } from "./token-mask.ts";
import { type GuidedVocabulary, setBit } from "./token-trie.ts";
import { tryOut } from "./trial.ts";
import { Work } from "./work.ts";

export { GuideError };

/** The guides of one model's vocabulary. */
export interface Guides {
  /**
   * A guide at its beginning. What it is made of is kept by spec, so that the next with the same
   * spec costs nothing. A spec that `flawOf` found nothing wrong with takes less than 100 ms.
   * @throws SpecError when the spec can't be used
   * @throws GuideError
   */
  compile(spec: GuideSpec): Guide;
}

/** Where one answer stands. */
export interface Guide {
  /**
   * Sets a bit for each token that may come next, bit `token & 31` of word `token >> 5`, and clears
   * the others. End tokens are among them where the answer may end.
   * @param mask of `Math.ceil(tokens / 32)` words
   * @throws GuideError when no token may come
   */
  allow(mask: Uint32Array): void;
  /** Takes the token that was chosen. @throws GuideError when it may not come */
  accept(token: number): void;
  /** Takes a part of the answer that was there before the first token. @throws GuideError */
  acceptBytes(bytes: Uint8Array): void;
  /** Whether the answer may end here. */
  readonly complete: boolean;
  /** Whether nothing but the end may come. */
  readonly finished: boolean;
}

/**
 * So many times as much work as the gateway's check may take: what it let through is not refused here,
 * though this model may write its calls at more length than the ones that were looked at there.
 */
const AGAIN = 2;
/** Grammars that are kept for the next request, and how much all of them took to make: some 50 MiB. */
const MOST_KEPT = 16;
const MOST_WORK_KEPT = 500_000;

/** The guides of a vocabulary: `layOut` makes one, piece by piece. */
export function createGuides(vocabulary: GuidedVocabulary): Guides {
  const kept = new Kept<Machine | SpecError>(MOST_KEPT, MOST_WORK_KEPT);
  const memory = new GuideMemory();
  const made = (spec: GuideSpec) => {
    const work = new Work(AGAIN);
    const value = madeOf(spec, work, memory);
    return { value, work: work.spent };
  };
  return {
    compile(spec) {
      const machine = kept.get(JSON.stringify(spec), () => made(spec));
      if (machine instanceof SpecError) throw machine;
      return new TokenGuide(machine, vocabulary);
    },
  };
}

/** What is refused is kept as what is not: it took as long to find out. */
function madeOf(spec: GuideSpec, work: Work, memory: GuideMemory): Machine | SpecError {
  try {
    return machineOf(spec, work, memory);
  } catch (error) {
    if (error instanceof SpecError) return error;
    throw error;
  }
}

/** @throws SpecError, GuideError */
export function machineOf(spec: GuideSpec, work = new Work(), memory = new GuideMemory()): Machine {
  const root = grammarOf(spec, work);
  const machine = new Machine(root, deadNodes(root, work), memory);
  tryOut(machine, work);
  return machine;
}

class TokenGuide implements Guide {
  readonly #machine: Machine;
  readonly #vocabulary: GuidedVocabulary;
  readonly #ends: ReadonlySet<number>;
  #position: Position;
  #ended = false;

  constructor(machine: Machine, vocabulary: GuidedVocabulary) {
    this.#machine = machine;
    this.#vocabulary = vocabulary;
    this.#ends = new Set(vocabulary.ends);
    this.#position = machine.start;
  }

  get complete(): boolean {
    return this.#position.accepts;
  }

  get finished(): boolean {
    return this.#ended || (this.#position.accepts && !goesOn(this.#position));
  }

  allow(mask: Uint32Array): void {
    if (this.#ended) mask.fill(0);
    else mask.set(tokensAt(this.#position, this.#machine, this.#vocabulary));
    if (this.#ended || this.#position.accepts) for (const token of this.#ends) setBit(mask, token);
    if (mask.every((word) => word === 0))
      throw new GuideError("No token of the model's vocabulary goes on with the guided answer.");
  }

  accept(token: number): void {
    if (this.#ends.has(token)) {
      if (!this.#position.accepts) throw new GuideError("The guided answer ended too early.");
      this.#ended = true;
      return;
    }
    const bytes = this.#vocabulary.bytes(token);
    if (bytes.length === 0) throw new GuideError("A token without text came in a guided answer.");
    this.acceptBytes(bytes);
  }

  acceptBytes(bytes: Uint8Array): void {
    let at: Position | null = this.#position;
    for (const byte of bytes) {
      at = this.#machine.step(at, byte);
      if (at === null) throw new GuideError("The answer is not what the guide asks for.");
    }
    this.#position = at;
  }
}

function goesOn(position: Position): boolean {
  return position.threads.some(({ leaf, state }) => leaf.goesOn(state));
}
