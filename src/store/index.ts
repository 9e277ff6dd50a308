import type { Ledger, LedgerHealth } from "../types.ts";
import { type Analytics, analyticsBy } from "./analytics/index.ts";
import { Reader } from "./analytics/reader.ts";
import { type Calls, callsBy } from "./calls.ts";
import { type Home, openHome } from "./home.ts";
import { type Durability, Journal } from "./journal.ts";
import { JournalLedger } from "./ledger.ts";
import { type Found, Projection, type QueryValues } from "./projection/client.ts";
import type { Keep } from "./projection/retention.ts";

export type { CallAttempt, CallRow, Calls, CounterRow } from "./calls.ts";
export { openCallsReadonly } from "./calls.ts";
export { type Holder, type Home, HomeError, holderOf, tellAddress } from "./home.ts";
export type { Durability } from "./journal.ts";
export { openKeyStore } from "./keys/open-key-store.ts";
export { type GatewayKeys, openKeys } from "./keys/open-keys.ts";
export { secretFile, serverSecret } from "./keys/secret.ts";
export { standingKeys } from "./keys/standing-keys.ts";
export { inspectDatabase } from "./projection/inspect.ts";
export type { Keep } from "./projection/retention.ts";

/** How long closing waits for the database; what is not in it by then is read at the next start. */
const CATCH_UP_MS = 5000;

/** Everything, but for the rows of refused calls: 40 MB of the newest at the most. */
const KEEP_ALL: Keep = {
  callsMs: 0,
  minutesMs: 0,
  hoursMs: 0,
  daysMs: 0,
  maxBytes: 0,
  refusedRows: 100_000,
};

export interface StoreOptions {
  /** The home folder; created when missing. */
  readonly home: string;
  readonly durability: Durability;
  /** Covey's version, for the journal. */
  readonly version: string;
  /** The URL of a PostgreSQL database, a secret; null or left out is SQLite in the home folder. */
  readonly databaseUrl?: string | null;
  /** How much of the log stays; left out, all of it. */
  readonly keep?: Keep;
  /** Bytes of journal that may wait for the database; past it calls are refused. 0 or left out is no limit. */
  readonly maxJournalBytes?: number;
  /** Told what was found in the journal that is nothing wrong now. */
  readonly found?: (what: Found) => void;
  /** Milliseconds between two progress records of the running calls; default 1000. */
  readonly progressMs?: number;
}

export interface Store {
  readonly home: Home;
  readonly ledger: Ledger;
  /** The read side, answered by the worker. Rejects while the database is in trouble. */
  readonly calls: Calls;
  /** One statement in the worker: one that reads, and one that changes something. Both give rows. */
  query(text: string, values: QueryValues): Promise<unknown[]>;
  write(text: string, values: QueryValues): Promise<unknown[]>;
  /** What the analytics API asks, answered by a thread of its own. */
  readonly analytics: Analytics;
  health(): LedgerHealth;
  /** Waits until the database holds everything written so far; false when it does not in `timeoutMs`. */
  caughtUp(timeoutMs?: number): Promise<boolean>;
  /** Writes what is left, lets the database catch up for at most 5 s, and gives the home folder back. */
  close(): Promise<void>;
}

/**
 * Opens the home folder, its journal and its database. Throws a `HomeError` when the folder is in
 * use or cannot be written. Does not wait for the database: calls are accepted without it.
 */
export function openStore(options: StoreOptions): Store {
  const home = openHome(options.home);
  try {
    return openIn(home, options);
  } catch (error) {
    home.release();
    throw error;
  }
}

function openIn(home: Home, options: StoreOptions): Store {
  const { durability, version, databaseUrl, keep = KEEP_ALL } = options;
  const projection = new Projection({
    journal: home.journal,
    place: { database: databaseUrl ?? home.database, gateway: home.gateway },
    keep,
    ...(options.found === undefined ? {} : { found: options.found }),
  });
  const journal = new Journal({
    dir: home.journal,
    durability,
    onReadable: (end) => projection.readable(end),
  });
  const boot = JSON.stringify({ t: "boot", at: Date.now(), version });
  void journal.append(boot, "keep");
  const ledger = new JournalLedger(journal, () => projection, {
    maxLagBytes: options.maxJournalBytes ?? 0,
    ...(options.progressMs === undefined ? {} : { tickMs: options.progressMs }),
  });
  const reader = new Reader(databaseUrl ?? home.database);
  let closing: Promise<void> | null = null;
  const close = async () => {
    ledger.close();
    await journal.close();
    await projection.caughtUp(CATCH_UP_MS);
    await projection.close(CATCH_UP_MS);
    await reader.close();
    home.release();
  };
  return {
    home,
    ledger,
    calls: callsBy((text, values) => projection.query(text, values)),
    query: (text, values) => projection.query(text, values),
    write: (text, values) => projection.write(text, values),
    analytics: analyticsBy(reader, keep),
    health: () => ledger.health(),
    async caughtUp(timeoutMs = CATCH_UP_MS) {
      await journal.flush();
      return await projection.caughtUp(timeoutMs);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}
