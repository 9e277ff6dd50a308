interface Cancelled {
  readonly settle: () => void;
  ticks: number;
}

/** How often the time is looked at while it is waited for. */
const LOOKS = 10;

/**
 * Requests that were cancelled and that a child is still at. Time is counted in ticks of our own timer: a
 * pause of this process is none of the child's.
 */
export class Settling {
  readonly #cancelled = new Map<number, Cancelled>();
  readonly #tickMs: number;
  readonly #onOverdue: (ms: number) => void;
  #timer: Timer | null = null;

  /** `onOverdue` is told again and again how long the first one takes, from `patienceMs` on. */
  constructor(patienceMs: number, onOverdue: (ms: number) => void) {
    this.#tickMs = patienceMs / LOOKS;
    this.#onOverdue = onOverdue;
  }

  get size(): number {
    return this.#cancelled.size;
  }

  add(id: number, settle: () => void): void {
    this.#cancelled.set(id, { settle, ticks: 0 });
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs).unref();
  }

  /** The child is done with it. */
  settled(id: number): void {
    this.#cancelled.get(id)?.settle();
    this.#cancelled.delete(id);
    if (this.#cancelled.size === 0) this.#stop();
  }

  /** The child is gone. */
  settleAll(): void {
    for (const id of [...this.#cancelled.keys()]) this.settled(id);
  }

  #tick(): void {
    let longest = 0;
    for (const each of this.#cancelled.values()) longest = Math.max(longest, ++each.ticks);
    if (longest >= LOOKS) this.#onOverdue(longest * this.#tickMs);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
