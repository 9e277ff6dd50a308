import { z } from "zod";
import type { KeyIndex } from "./key-index.ts";
import { KEY_COLUMNS, type StoredKey, storedKeys } from "./key-row.ts";

/** Between two looks, so that a key revoked elsewhere opens nothing half a second later. */
const POLL_MS = 400;
/** A store that has not answered for so long is said to be in trouble. */
const PATIENCE_MS = 2000;
const PAGE = 1000;

const Version = z.array(z.object({ version: z.coerce.number() }));
const NEWEST = "SELECT COALESCE(MAX(version), 0) AS version FROM keys";
const CHANGED = `SELECT ${KEY_COLUMNS} FROM keys WHERE version > $1 ORDER BY version LIMIT ${PAGE}`;

/** Runs one statement that reads, and gives its rows. */
export type Read = (text: string, values: (string | number | null)[]) => Promise<unknown>;

/**
 * Keeps the index as the database has it, whoever wrote there: this process, another gateway, or the
 * command line. A look costs one statement that reads the end of an index; what has changed is read by
 * its version. The last known keys stay when the database does not answer.
 */
export class KeyFollower {
  readonly #index: KeyIndex;
  readonly #read: Read;
  readonly #pollMs: number;
  #version = 0;
  #answeredAt: number | null = null;
  #failure: string | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;
  readonly #startedAt = performance.now();

  constructor(index: KeyIndex, read: Read, pollMs = POLL_MS) {
    this.#index = index;
    this.#read = read;
    this.#pollMs = pollMs;
  }

  /** Whether the database's keys were ever read. */
  get known(): boolean {
    return this.#answeredAt !== null;
  }

  /** Milliseconds since the database last answered; since the start where it never did. */
  ageMs(now: number): number {
    return now - (this.#answeredAt ?? this.#startedAt);
  }

  /** Why changes of keys may go unseen; null when they don't. @param now on the `performance.now()` clock */
  trouble(now: number): string | null {
    const age = this.ageMs(now);
    if (age > PATIENCE_MS) {
      const since = `${Math.round(age / 1000)} s`;
      const reason = this.#failure === null ? "" : ` (${this.#failure})`;
      return `the keys' database has not answered for ${since}${reason}: changes of keys are not seen`;
    }
    const { foreign } = this.#index;
    if (foreign === 0) return null;
    return `${foreign} keys were made with another server secret and open nothing`;
  }

  /** Looks once, then again and again until `stop`. Resolves after the first look that succeeded. */
  start(): Promise<void> {
    const first = Promise.withResolvers<void>();
    const again = async (): Promise<void> => {
      const began = performance.now();
      try {
        await this.look();
        first.resolve();
      } catch (error) {
        this.#failure = error instanceof Error ? error.message : String(error);
      }
      if (this.#stopped) return;
      const rest = Math.max(10, this.#pollMs - (performance.now() - began));
      this.#timer = setTimeout(() => void again(), rest);
      this.#timer.unref();
    };
    void again();
    return first.promise;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Reads what has changed. Rejects when the database doesn't answer. */
  async look(): Promise<void> {
    const asked = performance.now();
    const newest = Version.parse(await this.#read(NEWEST, []))[0]?.version ?? 0;
    if (newest < this.#version) {
      // Somebody put an older copy of the database back: what it holds is what there is.
      const all = await this.#changedSince(0);
      this.#index.replace(all);
      this.#version = all.at(-1)?.version ?? 0;
    } else if (newest > this.#version) {
      // Versions appear in their order, so whoever has read one has read all before it.
      const changed = await this.#changedSince(this.#version);
      this.#index.apply(changed);
      this.#version = changed.at(-1)?.version ?? this.#version;
    }
    this.#answeredAt = asked;
    this.#failure = null;
  }

  async #changedSince(version: number): Promise<StoredKey[]> {
    const all: StoredKey[] = [];
    for (let last = version; ; ) {
      const page = storedKeys(await this.#read(CHANGED, [last]));
      all.push(...page);
      const end = page.at(-1);
      if (end === undefined || page.length < PAGE) return all;
      last = end.version;
    }
  }
}
