/** How exact waiting is: one timer looks after all that wait. */
const TICK_MS = 100;

const waiting = new Set<Patience>();
let ticker: Timer | null = null;

function look(): void {
  const now = performance.now();
  for (const patience of waiting) patience.look(now);
  if (waiting.size > 0 || ticker === null) return;
  clearInterval(ticker);
  ticker = null;
}

/**
 * Calls `giveUp` when nothing has happened for a set time, to a tenth of a second. There is no timer
 * for each, since thousands wait at once and nearly all of them in vain.
 */
export class Patience {
  /** What happens when it runs out; called once. */
  giveUp: () => void;
  /** On the `performance.now()` clock. */
  #deadline: number;
  /** What was left when it was paused. */
  #left = 0;
  #expired = false;

  constructor(ms: number, giveUp: () => void) {
    this.giveUp = giveUp;
    this.#deadline = performance.now() + ms;
    this.#enter();
  }

  get expired(): boolean {
    return this.#expired;
  }

  /** Something has happened: from now on `ms` milliseconds may pass. */
  wait(ms: number): void {
    this.#deadline = performance.now() + ms;
    this.#enter();
  }

  /** What happens from now on is not waited for; nothing here holds on to it meanwhile. */
  pause(): void {
    this.#left = this.#deadline - performance.now();
    waiting.delete(this);
  }

  /** The time that was left at `pause` goes on. */
  resume(): void {
    this.wait(this.#left);
  }

  /** Nothing is waited for any more. */
  end(): void {
    waiting.delete(this);
  }

  #enter(): void {
    waiting.add(this);
    ticker ??= setInterval(look, TICK_MS).unref();
  }

  look(now: number): void {
    if (now < this.#deadline) return;
    this.#expired = true;
    this.end();
    this.giveUp();
  }
}
