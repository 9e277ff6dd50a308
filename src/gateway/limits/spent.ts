import type { SpentSoFar } from "./limits.ts";

/** How long a key's first call waits for the database to know all that was written before. */
const CATCH_UP_MS = 5000;
const MINUTE = 60_000;
const NANO = 1e9;

/** What the call log can say of spending, in US dollars since three moments (Unix milliseconds / 60000). */
interface SpendingLog {
  spent(
    keyId: string,
    since: { readonly day: number; readonly week: number; readonly month: number },
  ): Promise<{ readonly day: number }>;
}

/** Reads what a key has spent from the call log, once the log holds what was written until now. */
export function spentIn(
  log: SpendingLog,
  caughtUp: (timeoutMs: number) => Promise<boolean>,
): SpentSoFar {
  return async (keyId, since) => {
    if (!(await caughtUp(CATCH_UP_MS))) throw new Error("the database is behind the journal");
    const minute = since / MINUTE;
    const { day } = await log.spent(keyId, { day: minute, week: minute, month: minute });
    return Math.round(day * NANO);
  };
}
