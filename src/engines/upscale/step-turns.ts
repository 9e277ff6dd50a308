import { FairTurns } from "../../lib/fair-turns.ts";

/** The turn of one request. */
export interface Turn {
  /**
   * One step is done: resolves when the next one may begin. Others have theirs first, unless this turn has
   * been a short one so far. Rejects with the signal's reason.
   */
  next(): Promise<void>;
  /** All is done. Calling it twice does no harm. */
  end(): void;
}

/** What a step is charged before it is known how long it takes, in milliseconds. */
const BEFORE = 1;

/**
 * Milliseconds that a turn has at least, where there is that much to do: a small image in many quick steps
 * does not wait for a slow one of others with each of them.
 */
const TURN_MS = 100;

/**
 * Whose step it is in a process that does one at a time for several requests. Owners get the same time,
 * not the same number of steps: they are charged what their steps took.
 */
export class StepTurns {
  readonly #turns = new FairTurns<() => void>();
  readonly #now: () => number;

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Resolves when the first step may begin. Rejects with the signal's reason. */
  async take(owner: string, signal: AbortSignal): Promise<Turn> {
    let began: number | null = null;
    const leaveOff = (): void => {
      if (began === null) return;
      this.#turns.charge(owner, Math.max(0, this.#now() - began - BEFORE));
      this.#turns.end(owner, BEFORE);
      began = null;
    };
    const wait = (): Promise<void> =>
      this.#wait(owner, signal, () => {
        began = this.#now();
      });
    const end = (): void => {
      leaveOff();
      this.#grant();
    };
    const first = wait();
    this.#grant();
    await first;
    return {
      next: () => {
        if (began !== null && this.#now() - began < TURN_MS) return goesOn(signal);
        leaveOff();
        const again = wait();
        // Whoever came while the step ran is heard first, and so is a cancellation.
        setImmediate(() => this.#grant());
        return again;
      },
      end,
    };
  }

  /**
   * Does work that has no steps, such as reading and writing a file: others have their turns beside it. It
   * is charged like steps.
   */
  async beside<Result>(owner: string, work: () => Promise<Result>): Promise<Result> {
    const began = this.#now();
    try {
      return await work();
    } finally {
      const someoneElse = this.#turns.running + this.#turns.waiting > 0;
      if (someoneElse) this.#turns.charge(owner, this.#now() - began);
    }
  }

  #wait(owner: string, signal: AbortSignal, onGrant: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const grant = (): void => {
      signal.removeEventListener("abort", leave);
      onGrant();
      resolve();
    };
    const leave = (): void => {
      this.#turns.remove(owner, grant);
      reject(signal.reason);
    };
    if (signal.aborted) reject(signal.reason);
    else {
      signal.addEventListener("abort", leave, { once: true });
      this.#turns.add(owner, grant);
    }
    return promise;
  }

  #grant(): void {
    if (this.#turns.running > 0) return;
    const next = this.#turns.next();
    if (next === null) return;
    this.#turns.begin(next.keyId, BEFORE, next.item);
    next.item();
  }
}

/** Whoever came while the step ran is heard, and so is a cancellation. */
async function goesOn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
