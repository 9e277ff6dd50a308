import type { Meter } from "../types.ts";
import type { ProgressEntry } from "./schema.ts";

interface Running {
  readonly meter: Meter;
  /** `performance.now()` at the call's arrival. */
  readonly arrivedAt: number;
  /** What the journal knows of it. */
  last: ProgressEntry;
}

/** The calls that are under way, and what of them the journal does not know yet. */
export class RunningCalls {
  readonly #calls = new Map<string, Running>();

  get size(): number {
    return this.#calls.size;
  }

  /** `arrivedAt` is in `performance.now()`'s milliseconds. */
  add(id: string, meter: Meter, arrivedAt: number): void {
    const last: ProgressEntry = [id, 0, 0, 0, "none", null, null];
    this.#calls.set(id, { meter, arrivedAt, last });
  }

  delete(id: string): void {
    this.#calls.delete(id);
  }

  /** An entry for every call whose meter moved since the last time. */
  moved(): ProgressEntry[] {
    const entries: ProgressEntry[] = [];
    for (const [id, call] of this.#calls) {
      const { meter, last } = call;
      if (
        meter.promptTokens === last[1] &&
        meter.completionTokens === last[2] &&
        meter.cachedTokens === last[3] &&
        meter.source === last[4] &&
        meter.startedAt > 0 === (last[5] !== null) &&
        meter.firstTokenAt > 0 === (last[6] !== null)
      ) {
        continue;
      }
      call.last = [
        id,
        meter.promptTokens,
        meter.completionTokens,
        meter.cachedTokens,
        meter.source,
        since(call.arrivedAt, meter.startedAt),
        since(call.arrivedAt, meter.firstTokenAt),
      ];
      entries.push(call.last);
    }
    return entries;
  }
}

function since(from: number, to: number): number | null {
  return to === 0 ? null : Math.max(0, Math.round((to - from) * 1000) / 1000);
}
