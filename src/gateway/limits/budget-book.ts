import type { Budget } from "../../types.ts";
import { type Period, periodOf } from "./period.ts";

/** What one key has spent in one period, and what is set aside for its running calls. */
export interface Page {
  readonly period: Period;
  spentNanoUsd: number;
  reservedNanoUsd: number;
  /** Less than its most was set aside for a running call. */
  isShort: boolean;
}

/** A page whose beginning is being read. */
interface Opening {
  readonly period: Period;
  readonly page: Promise<Page>;
  /** What calls cost that ended meanwhile: the log may not have known it. */
  endedNanoUsd: number;
}

interface Book {
  readonly pages: Map<Budget["period"], Page>;
  readonly openings: Map<Budget["period"], Opening>;
}

/**
 * Who spent what, in memory. A period begins with what the call log says of it; from then on what
 * happens here counts, be it of calls that began before their key had this budget. A call counts for the
 * period in which it was admitted, as in the log.
 */
export class BudgetBook {
  readonly #spent: (keyId: string, since: number) => Promise<number>;
  readonly #books = new Map<string, Book>();

  constructor(spent: (keyId: string, since: number) => Promise<number>) {
    this.#spent = spent;
  }

  /** The key's page of the running period; null until it was opened. @param wall Unix milliseconds */
  page(keyId: string, budget: Budget, wall: number): Page | null {
    const page = this.#books.get(keyId)?.pages.get(budget.period);
    return page !== undefined && wall < page.period.end ? page : null;
  }

  /** Asks the log where to begin; those who come meanwhile wait for the same answer. Rejects as the log does. */
  open(keyId: string, budget: Budget, wall: number): Promise<Page> {
    const book = this.#bookOf(keyId);
    const running = book.openings.get(budget.period);
    if (running !== undefined) return running.page;
    const period = periodOf(budget.period, wall);
    const page = this.#spent(keyId, period.start)
      .then((spentNanoUsd) => {
        const opened = { period, spentNanoUsd, reservedNanoUsd: 0, isShort: false };
        opened.spentNanoUsd += opening.endedNanoUsd;
        book.pages.set(budget.period, opened);
        return opened;
      })
      .finally(() => book.openings.delete(budget.period));
    const opening: Opening = { period, page, endedNanoUsd: 0 };
    book.openings.set(budget.period, opening);
    return page;
  }

  /** A call has ended that was admitted at that time, whatever was set aside for it. @param wall Unix milliseconds */
  charge(keyId: string, wall: number, costNanoUsd: number): void {
    const book = this.#books.get(keyId);
    if (book === undefined || costNanoUsd === 0) return;
    for (const page of book.pages.values())
      if (isWithin(page.period, wall)) page.spentNanoUsd += costNanoUsd;
    for (const opening of book.openings.values())
      if (isWithin(opening.period, wall)) opening.endedNanoUsd += costNanoUsd;
  }

  #bookOf(keyId: string): Book {
    const known = this.#books.get(keyId);
    if (known !== undefined) return known;
    const book: Book = { pages: new Map(), openings: new Map() };
    this.#books.set(keyId, book);
    return book;
  }
}

function isWithin({ start, end }: Period, wall: number): boolean {
  return wall >= start && wall < end;
}
