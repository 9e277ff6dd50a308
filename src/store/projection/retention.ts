import { SPANS, type Span } from "../rollups.ts";
import type { JournalRecord } from "../schema.ts";
import type { Database } from "./database.ts";
import {
  deleteCallsBefore,
  deleteOldestCalls,
  deleteRefusedBefore,
  deleteRollupsBefore,
  oldestKeptRefusal,
} from "./prune.ts";
import { giveBackRoom, usedBytes } from "./room.ts";

/** How much of the log stays, in milliseconds, bytes and rows; 0 is no limit. */
export interface Keep {
  readonly callsMs: number;
  readonly minutesMs: number;
  readonly hoursMs: number;
  readonly daysMs: number;
  /** Of the database; past it the oldest calls go. */
  readonly maxBytes: number;
  /** Rows of refused calls, the newest. */
  readonly refusedRows: number;
}

/** New rows of refused calls after which it looks for ones too many. */
const REFUSED_AT_ONCE = 1000;
/** How often it looks for what is too old. */
const EVERY_MS = 60_000;
/** What one step aims to take, so that neither a batch nor a key's change waits long for it. */
const STEP_MS = 5;
const FIRST_ROWS = 20;
const MOST_ROWS = 2000;

type Writer = Pick<Database, "sql" | "dialect">;
/** Deletes up to so many rows and says how many there were; fewer is the end of it. */
type Task = (writer: Writer, rows: number) => Promise<number>;

/** Deletes what is too old or too much, a few milliseconds at a time. */
export class Retention {
  readonly #keep: Keep;
  #tasks: Task[] = [];
  /** For the first of the tasks: a row of one is not a row of the next, nor a page. */
  #rows = FIRST_ROWS;
  #looked = Number.NEGATIVE_INFINITY;
  #newRefused = 0;

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  /** What has come into the database. */
  heed(records: readonly JournalRecord[]): void {
    for (const record of records) if (isRefusal(record)) this.#newRefused++;
  }

  /** Does one step of what there is to do at `now` (Unix milliseconds); whether there is more. */
  async step(writer: Writer, now: number): Promise<boolean> {
    const due = now - this.#looked >= EVERY_MS || this.#newRefused >= REFUSED_AT_ONCE;
    if (this.#tasks.length === 0 && due) {
      this.#looked = now;
      this.#newRefused = 0;
      this.#tasks = tasksAt(this.#keep, now);
    }
    const [task] = this.#tasks;
    if (task === undefined) return false;
    const started = performance.now();
    const done = await task(writer, this.#rows);
    if (done < this.#rows) {
      this.#tasks.shift();
      this.#rows = FIRST_ROWS;
    } else this.#rows = nextRows(this.#rows, performance.now() - started);
    return this.#tasks.length > 0;
  }
}

/** As many rows as would have taken `STEP_MS`, with care in growing. */
export function nextRows(rows: number, tookMs: number): number {
  const fitting = Math.floor((rows * STEP_MS) / Math.max(tookMs, 0.1));
  return Math.max(10, Math.min(fitting, Math.floor(rows * 1.25), MOST_ROWS));
}

function tasksAt(keep: Keep, now: number): Task[] {
  const tasks: Task[] = [];
  if (keep.refusedRows > 0) tasks.push(refusedTask(keep.refusedRows));
  if (keep.callsMs > 0) {
    tasks.push((writer, rows) => deleteCallsBefore(writer.sql, now - keep.callsMs, rows));
  }
  const spans = { minutes: keep.minutesMs, hours: keep.hoursMs, days: keep.daysMs };
  for (const span of ["minutes", "hours", "days"] as const satisfies readonly Span[]) {
    if (spans[span] === 0) continue;
    // A span that is in part within the time stays whole.
    const before = now - spans[span] - SPANS[span];
    tasks.push((writer, rows) => deleteRollupsBefore(writer, span, before, rows));
  }
  if (keep.maxBytes > 0) tasks.push(sizeTask(keep.maxBytes));
  tasks.push((writer, rows) => giveBackRoom(writer, rows));
  return tasks;
}

/** Where the newest ones begin is looked up once, in a step of its own. */
function refusedTask(keep: number): Task {
  let oldest: number | null | undefined;
  return async ({ sql }, rows) => {
    if (oldest !== undefined) {
      return oldest === null ? 0 : await deleteRefusedBefore(sql, oldest, rows);
    }
    oldest = await oldestKeptRefusal(sql, keep);
    return oldest === null ? 0 : rows;
  };
}

function sizeTask(maxBytes: number): Task {
  let tooMuch: number | null = null;
  return async (writer, rows) => {
    if (tooMuch === null) {
      const used = await usedBytes(writer);
      tooMuch = Math.ceil(Math.max(0, used.bytes - maxBytes) / used.bytesPerCall);
      return tooMuch === 0 ? 0 : rows;
    }
    if (tooMuch === 0) return 0;
    const wanted = Math.min(rows, tooMuch);
    const done = await deleteOldestCalls(writer.sql, wanted);
    tooMuch = done < wanted ? 0 : tooMuch - done;
    return tooMuch === 0 ? 0 : rows;
  };
}

function isRefusal(record: JournalRecord): boolean {
  if (record.t === "settle") return record.status === "refused";
  return record.t === "refuse" || record.t === "refused";
}
