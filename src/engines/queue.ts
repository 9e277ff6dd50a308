import { GatewayError } from "../contract/errors.ts";
import { FairTurns } from "../lib/fair-turns.ts";

interface Waiter {
  readonly admitted: boolean;
  readonly grant: () => void;
  readonly refuse: (error: GatewayError) => void;
}

export interface AcquireOptions {
  readonly keyId: string;
  readonly signal: AbortSignal;
  /** For the further parts of a request that is running already: not counted against `maxWaiting`. */
  readonly admitted?: boolean;
}

/**
 * Places at one model. Who finds none waits in a bounded line, and keys take turns in it: a key with
 * a hundred requests waiting delays another's single one by one turn. In a full line the last request of
 * the key that has the most waiting makes room for one of a key that has fewer.
 */
export class FairQueue {
  readonly #places: number;
  readonly #maxWaiting: number;
  readonly #turns = new FairTurns<Waiter>();
  readonly #retryAfter: (waiting: number) => number;
  readonly #whenFull: string;
  readonly #share: number;

  /**
   * `retryAfter` estimates the seconds until a place in the line is free; `whenFull` is what the refused
   * are told. With a `share` a key takes a place only while it has fewer than so many times those that are
   * free, so that there are some for others (Choudhury and Hahne's dynamic thresholds, 1998).
   */
  constructor(
    places: number,
    maxWaiting: number,
    retryAfter: (waiting: number) => number,
    whenFull = "This model has as many requests waiting as it may. Try again later.",
    share = Number.POSITIVE_INFINITY,
  ) {
    this.#whenFull = whenFull;
    this.#share = share;
    this.#places = places;
    this.#maxWaiting = maxWaiting;
    this.#retryAfter = retryAfter;
  }

  get places(): number {
    return this.#places;
  }

  get running(): number {
    return this.#turns.running;
  }

  get waiting(): number {
    return this.#turns.waiting;
  }

  /**
   * Resolves with the function that gives the place back (calling it twice does no harm). Rejects
   * with `overloaded` when the line is full, at once or when a key with fewer requests waiting comes,
   * and with `client_closed` when `signal` aborts.
   */
  async acquire({ keyId, signal, admitted = false }: AcquireOptions): Promise<() => void> {
    if (signal.aborted) throw left();
    // Those that wait while there are free places have as many as they may.
    if (this.#mayTake(keyId)) {
      this.#turns.begin(keyId, 1);
      return this.#release(keyId);
    }
    if (!admitted && this.waiting >= this.#maxWaiting && !this.#makeRoom(keyId)) throw this.#full();
    await this.#wait(keyId, signal, admitted);
    return this.#release(keyId);
  }

  #release(keyId: string): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#turns.end(keyId, 1);
      this.#grantNext();
    };
  }

  /** Whether another key's request was sent away for one of this key. */
  #makeRoom(keyId: string): boolean {
    const longest = this.#turns.longest();
    if (longest === null || longest.items.size <= this.#turns.waitingOf(keyId) + 1) return false;
    const last = [...longest.items].findLast(({ admitted }) => !admitted);
    if (last === undefined) return false;
    this.#turns.remove(longest.keyId, last);
    last.refuse(this.#full());
    return true;
  }

  #full(): GatewayError {
    return new GatewayError("overloaded", this.#whenFull, {
      retryAfter: this.#retryAfter(this.waiting),
    });
  }

  #wait(keyId: string, signal: AbortSignal, admitted: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      admitted,
      grant: () => {
        signal.removeEventListener("abort", leave);
        resolve();
      },
      refuse: (error) => {
        signal.removeEventListener("abort", leave);
        reject(error);
      },
    };
    const leave = () => {
      this.#turns.remove(keyId, waiter);
      reject(left());
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#turns.add(keyId, waiter);
    return promise;
  }

  /** One that is given back can be the reason why several keys may have one more. */
  #grantNext(): void {
    for (;;) {
      // The key that has the fewest: where it may not, none may.
      const next = this.#turns.next();
      if (next === null || !this.#mayTake(next.keyId)) return;
      this.#turns.begin(next.keyId, 1, next.item);
      next.item.grant();
    }
  }

  #mayTake(keyId: string): boolean {
    const free = this.#places - this.running;
    return free > 0 && this.#turns.runningOf(keyId) < this.#share * free;
  }
}

function left(): GatewayError {
  return new GatewayError("client_closed", "The request was cancelled.");
}
