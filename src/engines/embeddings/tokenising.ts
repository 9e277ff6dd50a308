import { FairQueue } from "../queue.ts";
import type { Turn } from "./inputs.ts";

/** Characters that are tokenised in a row before others get a turn: a millisecond or so, a tenth of a second at worst. */
const CHARACTERS_A_TURN = 2_048;

/**
 * Whose text is tokenised: one at a time, slice by slice, keys by turns. Between two slices batches begin
 * and messages are read, so that however many texts wait, nobody is kept longer than by a slice.
 */
export class Tokenising {
  readonly #line = new FairQueue(1, Number.POSITIVE_INFINITY, () => 1);

  /** Rejects as `work` does, and once the signal has aborted. */
  async byTurns<T>(
    keyId: string,
    signal: AbortSignal,
    work: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    const enter = () => this.#line.acquire({ keyId, signal });
    let leave = await enter();
    let left = CHARACTERS_A_TURN;
    const turn = async (characters: number): Promise<void> => {
      left -= characters;
      if (left > 0) return;
      left = CHARACTERS_A_TURN;
      await nextTurn();
      leave();
      leave = await enter();
    };
    try {
      return await work(turn);
    } finally {
      if (this.#line.waiting > 0) await nextTurn();
      leave();
    }
  }
}

/** Lets what has come in meanwhile be done. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
