import type { Budget } from "../../types.ts";
import { type Period, periodOf } from "./period.ts";

/** What one key has spent in one period, and what is set aside for its running calls. */
export interface Page {
  readonly period: Period;
  spentNanoUsd: number;
  reservedNanoUsd: number;
}

/**
 * Who spent what, in memory. A period begins with what the call log says of it; from then on only
 * what happens here counts. A call counts for the period in which it was admitted, as in the log.
 */
export class BudgetBook {
  readonly #spent: (keyId: string, since: number) => Promise<number>;
  readonly #pages = new Map<string, Page>();
  readonly #opening = new Map<string, Promise<Page>>();

  constructor(spent: (keyId: string, since: number) => Promise<number>) {
    this.#spent = spent;
  }

  /** The key's page of the running period; null until it was opened. @param wall Unix milliseconds */
  page(keyId: string, budget: Budget, wall: number): Page | null {
    const page = this.#pages.get(nameOf(keyId, budget));
    return page !== undefined && wall < page.period.end ? page : null;
  }

  /** Asks the log where to begin; those who come meanwhile wait for the same answer. Rejects as the log does. */
  open(keyId: string, budget: Budget, wall: number): Promise<Page> {
    const name = nameOf(keyId, budget);
    const running = this.#opening.get(name);
    if (running !== undefined) return running;
    const period = periodOf(budget.period, wall);
    const opening = this.#read(keyId, name, period).finally(() => this.#opening.delete(name));
    this.#opening.set(name, opening);
    return opening;
  }

  /** Begins every page anew from the log, but for what is set aside. */
  forget(): void {
    this.#pages.clear();
  }

  async #read(keyId: string, name: string, period: Period): Promise<Page> {
    const spentNanoUsd = await this.#spent(keyId, period.start);
    const page: Page = { period, spentNanoUsd, reservedNanoUsd: 0 };
    this.#pages.set(name, page);
    return page;
  }
}

function nameOf(keyId: string, { period }: Budget): string {
  return `${period} ${keyId}`;
}
