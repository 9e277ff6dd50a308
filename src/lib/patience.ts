/**
 * A signal that aborts when the outer one does, or when nothing has happened for a set time.
 * `expired` tells the second from the first.
 */
export class Patience {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #forward = (): void => this.#controller.abort(this.#outer.reason);
  #ms: number;
  #timer: Timer;
  #paused = false;
  #expired = false;

  constructor(outer: AbortSignal, ms: number) {
    this.#outer = outer;
    this.#ms = ms;
    this.#timer = this.#start(ms);
    if (outer.aborted) this.#forward();
    else outer.addEventListener("abort", this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get expired(): boolean {
    return this.#expired;
  }

  /** What happens from now on is not waited for: whoever reads takes a rest. */
  pause(): void {
    this.#paused = true;
  }

  /** Something has happened: from now on `ms` milliseconds may pass. */
  wait(ms: number): void {
    this.#paused = false;
    if (ms === this.#ms) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#ms = ms;
    this.#timer = this.#start(ms);
  }

  /** Nothing is waited for any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#forward);
  }

  #start(ms: number): Timer {
    return setTimeout(() => {
      if (this.#paused) return;
      this.#expired = true;
      this.#controller.abort(new Error(`nothing for ${ms} ms`));
    }, ms);
  }
}
