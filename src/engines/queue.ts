import { GatewayError } from "../contract/errors.ts";

interface Waiter {
  readonly keyId: string;
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
  /** Waiters by key; the order of the keys is the order of their turns. */
  readonly #lines = new Map<string, Waiter[]>();
  readonly #retryAfter: (waiting: number) => number;
  #running = 0;
  #waiting = 0;

  /** `retryAfter` estimates the seconds until a place in the line is free. */
  constructor(places: number, maxWaiting: number, retryAfter: (waiting: number) => number) {
    this.#places = places;
    this.#maxWaiting = maxWaiting;
    this.#retryAfter = retryAfter;
  }

  get places(): number {
    return this.#places;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Resolves with the function that gives the place back (calling it twice does no harm). Rejects
   * with `overloaded` when the line is full, at once or when a key with fewer requests waiting comes,
   * and with `client_closed` when `signal` aborts.
   */
  async acquire({ keyId, signal, admitted = false }: AcquireOptions): Promise<() => void> {
    if (signal.aborted) throw left();
    if (this.#running < this.#places && this.#waiting === 0) return this.#take();
    if (!admitted && this.#waiting >= this.#maxWaiting && !this.#makeRoom(keyId))
      throw this.#full();
    await this.#wait(keyId, signal, admitted);
    return this.#release();
  }

  #take(): () => void {
    this.#running++;
    return this.#release();
  }

  #release(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#running--;
      this.#grantNext();
    };
  }

  /** Whether another key's request was sent away for one of this key. */
  #makeRoom(keyId: string): boolean {
    let longest: Waiter[] = [];
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line;
    const own = this.#lines.get(keyId)?.length ?? 0;
    const last = longest.findLast(({ admitted }) => !admitted);
    if (last === undefined || longest.length <= own + 1) return false;
    this.#remove(last);
    last.refuse(this.#full());
    return true;
  }

  #full(): GatewayError {
    return new GatewayError(
      "overloaded",
      "This model has as many requests waiting as it may. Try again later.",
      { retryAfter: this.#retryAfter(this.#waiting) },
    );
  }

  #wait(keyId: string, signal: AbortSignal, admitted: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      keyId,
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
      this.#remove(waiter);
      reject(left());
    };
    signal.addEventListener("abort", leave, { once: true });
    const line = this.#lines.get(keyId);
    if (line === undefined) this.#lines.set(keyId, [waiter]);
    else line.push(waiter);
    this.#waiting++;
    return promise;
  }

  #grantNext(): void {
    if (this.#running >= this.#places) return;
    const [next] = this.#lines.values().next().value ?? [];
    if (next === undefined) return;
    this.#remove(next);
    // The key's turn is over: it goes behind the others.
    const line = this.#lines.get(next.keyId);
    if (line !== undefined) {
      this.#lines.delete(next.keyId);
      this.#lines.set(next.keyId, line);
    }
    this.#running++;
    next.grant();
  }

  #remove(waiter: Waiter): void {
    const line = this.#lines.get(waiter.keyId);
    const at = line?.indexOf(waiter) ?? -1;
    if (line === undefined || at === -1) return;
    line.splice(at, 1);
    this.#waiting--;
    if (line.length === 0) this.#lines.delete(waiter.keyId);
  }
}

function left(): GatewayError {
  return new GatewayError("client_closed", "The request was cancelled.");
}
