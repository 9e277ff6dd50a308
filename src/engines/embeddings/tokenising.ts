import { FairQueue } from "../queue.ts";
import type { Turn } from "./inputs.ts";

/** Characters that are tokenised in a row before others get a turn: a millisecond or so, a tenth of a second at worst. */
const CHARACTERS_A_TURN = 2_048;

/** What a text counts at least, in characters. */
const LEAST_CHARACTERS = 32;

/**
 * Whose text is tokenised: one at a time, slice by slice, keys by turns. After some slices batches begin
 * and messages are read, so that however many texts wait, nobody is kept longer; short texts that came
 * together are ready together, and make one batch.
 */
export class Tokenising {
  readonly #line = new FairQueue(1, Number.POSITIVE_INFINITY, () => 1);
  #left = CHARACTERS_A_TURN;

  /** Rejects as `work` does, and once the signal has aborted. */
  async byTurns<T>(
    keyId: string,
    signal: AbortSignal,
    work: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    const enter = () => this.#line.acquire({ keyId, signal });
    let leave = await enter();
    this.#left -= LEAST_CHARACTERS;
    const turn = async (characters: number): Promise<void> => {
      this.#left -= characters;
      if (this.#left > 0) return;
      await this.#rest();
      leave();
      leave = await enter();
    };
    try {
      const made = await work(turn);
      if (this.#left <= 0 && this.#line.waiting > 0) await this.#rest();
      // It may have been heard of in the last rest.
      signal.throwIfAborted();
      return made;
    } finally {
      leave();
    }
  }

  async #rest(): Promise<void> {
    await nextTurn();
    this.#left = CHARACTERS_A_TURN;
  }
}

/** Lets what has come in meanwhile be done. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
