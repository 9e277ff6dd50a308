import { GatewayError } from "../contract/errors.ts";
import type {
  AttemptRecord,
  Ledger,
  LedgerHealth,
  Meter,
  RefusalRecord,
  ReserveRecord,
  SettleRecord,
} from "../types.ts";
import { bounded, boundedOrNull } from "./bounded.ts";
import type { Journal } from "./journal.ts";
import { Refusals } from "./refusals.ts";
import { RunningCalls } from "./running.ts";
import type { JournalRecord } from "./schema.ts";

/** Refused calls a second that get a row of their own. */
const REFUSALS_ALONE = 20;
const TICK_MS = 1000;
/** Calls in one progress record; keeps it far below the longest record. */
const PROGRESS_CALLS = 500;
const MAX_DROPPED_PARAMS = 64;
/** Attempts of one call that are written: there are few, whatever a config says. */
const MAX_ATTEMPTS = 32;

/** What the database side reports about itself. */
export interface ProjectionState {
  /** Why the journal is not getting into the database, or null. */
  readonly trouble: string | null;
  readonly lagBytes: number;
}

export interface LedgerOptions {
  /** Milliseconds between two progress records; default 1000. */
  readonly tickMs?: number;
  /** Bytes of journal that may wait for the database before calls are refused; 0 is no limit. */
  readonly maxLagBytes?: number;
}

/** The gateway's view of the call log: turns calls into journal records. It touches no database. */
export class JournalLedger implements Ledger {
  readonly #journal: Journal;
  readonly #projection: () => ProjectionState;
  readonly #running = new RunningCalls();
  readonly #refusals = new Refusals(REFUSALS_ALONE);
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #maxLagBytes: number;

  constructor(
    journal: Journal,
    projection: () => ProjectionState,
    { tickMs = TICK_MS, maxLagBytes = 0 }: LedgerOptions = {},
  ) {
    this.#journal = journal;
    this.#projection = projection;
    this.#maxLagBytes = maxLagBytes;
    this.#timer = setInterval(() => this.tick(Date.now()), tickMs);
    this.#timer.unref();
  }

  async reserve(record: ReserveRecord, meter: Meter): Promise<void> {
    if (this.#isFull()) throw this.#tooFarBehind();
    const arrivedAt = performance.now() - Math.max(0, Date.now() - record.at);
    const text = JSON.stringify({
      t: "reserve",
      ...record,
      endpoint: bounded(record.endpoint),
      model: bounded(record.model),
      requestId: boundedOrNull(record.requestId),
      referer: boundedOrNull(record.referer),
      title: boundedOrNull(record.title),
    });
    this.#running.add(record.id, meter, arrivedAt);
    try {
      await this.#journal.append(text, "reject");
    } catch (error) {
      this.#running.delete(record.id);
      throw error;
    }
  }

  settle(record: SettleRecord): Promise<void> {
    this.#running.delete(record.id);
    const droppedParams = record.droppedParams.slice(0, MAX_DROPPED_PARAMS).map(bounded);
    const finishReason = boundedOrNull(record.finishReason);
    const attempts = boundedAttempts(record.attempts);
    const text = JSON.stringify({ t: "settle", ...record, finishReason, droppedParams, attempts });
    return this.#journal.append(text, "keep");
  }

  refuse(record: RefusalRecord): void {
    const refusal = {
      ...record,
      endpoint: bounded(record.endpoint),
      model: boundedOrNull(record.model),
      requestId: boundedOrNull(record.requestId),
    };
    // While the journal takes no calls, counting is all there is room for.
    if (!this.#refusals.admit(refusal, this.#journal.writable && !this.#isFull())) return;
    this.#write({ t: "refuse", ...refusal });
  }

  /**
   * `ok` is false only while calls cannot be accepted. When the database is in trouble they still
   * are: then `ok` is true, `detail` says what is wrong and `lagBytes` grows.
   */
  health(): LedgerHealth {
    const { trouble, lagBytes } = this.#projection();
    const full = this.#isFull() ? `${lagBytes} bytes of journal wait for the database` : null;
    const details = [this.#journal.failure, full, trouble].filter((text) => text !== null);
    const detail = details.length === 0 ? null : details.join("; ");
    return { ok: this.#journal.writable && full === null, detail, lagBytes };
  }

  /** Once a second: what running calls have used since, and what refusals were counted. */
  tick(now: number): void {
    // A progress record missed is made up for by the next; counted refusals stay where they are.
    if (this.#journal.writable) this.#report(now);
  }

  #report(now: number): void {
    const moved = this.#running.moved();
    for (let from = 0; from < moved.length; from += PROGRESS_CALLS) {
      this.#write({ t: "progress", at: now, calls: moved.slice(from, from + PROGRESS_CALLS) });
    }
    // What is counted stays counted: in a full journal there is room for what is running only.
    if (this.#isFull()) return;
    for (const group of this.#refusals.drain()) {
      this.#write({ t: "refused", id: `refused-${Bun.randomUUIDv7()}`, ...group });
    }
  }

  /** Stops the timer and writes what is still to be said. */
  close(): void {
    clearInterval(this.#timer);
    this.#report(Date.now());
  }

  /** Whether as much journal waits for the database as may. Running calls go on and are written to their end. */
  #isFull(): boolean {
    return this.#maxLagBytes > 0 && this.#projection().lagBytes >= this.#maxLagBytes;
  }

  #tooFarBehind(): GatewayError {
    return new GatewayError(
      "unavailable",
      "The call log waits for its database and is full, so calls are not accepted.",
      { retryAfter: 5 },
    );
  }

  /** A kept record's promise never rejects, and nobody here waits for it. */
  #write(record: JournalRecord): void {
    void this.#journal.append(JSON.stringify(record), "keep");
  }
}

/** Of too many, the first one and the last ones: how it began, and what it came to. */
function boundedAttempts(attempts: readonly AttemptRecord[]): AttemptRecord[] {
  const kept =
    attempts.length <= MAX_ATTEMPTS
      ? attempts
      : [...attempts.slice(0, 1), ...attempts.slice(1 - MAX_ATTEMPTS)];
  return kept.map((attempt) => ({
    ...attempt,
    provider: bounded(attempt.provider),
    upstreamId: bounded(attempt.upstreamId),
    model: bounded(attempt.model),
    message: boundedOrNull(attempt.message),
  }));
}
