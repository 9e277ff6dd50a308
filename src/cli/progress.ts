import type { Progress } from "../catalog/download.ts";
import { formatBytes, formatSeconds } from "./format.ts";

interface Sample {
  readonly at: number;
  readonly done: number;
}

/** Speed is taken over this many milliseconds: long enough to be calm, short enough to be true. */
const WINDOW = 5_000;

/** Bytes a second over the last samples; null until there is something to tell. */
export function speedOf(samples: readonly Sample[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < 200) return null;
  return ((last.done - first.done) * 1_000) / (last.at - first.at);
}

/** `downloading  ███████░░░  45 %  512 MB of 1.1 GB  21 MB/s  28s left`. */
export function progressLine(progress: Progress, speed: number | null, width: number): string {
  const { phase, done, total } = progress;
  const share = total === 0 ? 1 : done / total;
  const filled = Math.floor(share * width);
  const bar = width === 0 ? "" : `${"█".repeat(filled)}${"░".repeat(width - filled)}  `;
  const rate =
    speed === null || speed <= 0
      ? ""
      : `  ${formatBytes(speed)}/s  ${formatSeconds((total - done) / speed)} left`;
  return `${phase}  ${bar}${Math.floor(share * 100)} %  ${formatBytes(done)} of ${formatBytes(total)}${rate}`;
}

export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Draws over one line on a terminal; writes a line every tenth elsewhere, so that logs stay short. */
export class ProgressView {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  #samples: Sample[] = [];
  #phase: Progress["phase"] | null = null;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #tenth = -1;

  constructor(output: ProgressOutput, now: () => number) {
    this.#output = output;
    this.#now = now;
  }

  update(progress: Progress): void {
    const now = this.#now();
    if (progress.phase !== this.#phase) {
      this.#phase = progress.phase;
      this.#samples = [];
      this.#tenth = -1;
    }
    const isLast = progress.done === progress.total;
    if (now - this.#drawnAt < 100 && !isLast) return;
    this.#samples = [...this.#samples, { at: now, done: progress.done }].filter(
      ({ at }) => now - at <= WINDOW,
    );
    const speed = speedOf(this.#samples);
    if (this.#output.isTTY === true) {
      const line = progressLine(progress, speed, (this.#output.columns ?? 80) >= 90 ? 24 : 10);
      this.#drawnAt = now;
      this.#output.write(`\r\x1b[2K${line}`);
      return;
    }
    const tenth = Math.floor((progress.done / progress.total) * 10);
    if (tenth === this.#tenth) return;
    this.#tenth = tenth;
    this.#drawnAt = now;
    this.#output.write(`${progressLine(progress, speed, 0)}\n`);
  }

  /** A line of its own, below what is drawn. */
  say(text: string): void {
    this.end();
    this.#output.write(`${text}\n`);
  }

  /** Leaves the drawn line as it is and goes on below it. */
  end(): void {
    if (this.#output.isTTY === true && this.#drawnAt > 0) this.#output.write("\n");
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }
}
