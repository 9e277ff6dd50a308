/** Memory that some share: who finds too little waits, in order. */
export class Room {
  #free: number;
  readonly #all: number;
  readonly #waiting = new Set<{ readonly bytes: number; readonly grant: () => void }>();

  constructor(bytes: number) {
    this.#all = bytes;
    this.#free = bytes;
  }

  /** Resolves with what gives it back; one that takes more than there is gets it alone. Rejects with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const taken = Math.min(bytes, this.#all);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { bytes: taken, grant: resolve };
    const leave = (): void => {
      this.#waiting.delete(waiter);
      reject(signal.reason);
      this.#grant();
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.add(waiter);
    this.#grant();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
    let holds = true;
    return () => {
      if (!holds) return;
      holds = false;
      this.#free += taken;
      this.#grant();
    };
  }

  #grant(): void {
    for (const waiter of this.#waiting) {
      if (waiter.bytes > this.#free) return;
      this.#waiting.delete(waiter);
      this.#free -= waiter.bytes;
      waiter.grant();
    }
  }
}
