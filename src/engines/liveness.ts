export interface LivenessOptions {
  /** How long the other side may be silent now, in milliseconds; null while nothing is expected of it. */
  readonly patience: () => number | null;
  /** Asks it for a sign of life. */
  readonly ping: () => void;
  /** Called once, when it was silent for longer. */
  readonly onSilent: () => void;
}

/**
 * Watches whether a child process still lives. Silence is counted in ticks of our own timer and not
 * in time that went by: a pause of this process, or of the whole machine, is none of the child's.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #tickMs: number;
  readonly #timer: Timer;
  #silentTicks = 0;

  constructor(tickMs: number, options: LivenessOptions) {
    this.#options = options;
    this.#tickMs = tickMs;
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  /** It has said something. */
  sign(): void {
    this.#silentTicks = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const patience = this.#options.patience();
    if (patience === null) {
      this.#silentTicks = 0;
      return;
    }
    if (this.#silentTicks * this.#tickMs >= patience) {
      this.stop();
      this.#options.onSilent();
      return;
    }
    this.#silentTicks++;
    this.#options.ping();
  }
}
