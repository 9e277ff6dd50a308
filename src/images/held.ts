import { GatewayError } from "../contract/errors.ts";
import { ImageRefused } from "./bounds.ts";

/** How many bytes images may have together, as files. */
export interface ImageTotals {
  /** Those of one request. */
  readonly maxRequestBytes: number;
  /** Those of all requests, while they are fetched, looked at or read. */
  readonly maxHeldBytes: number;
}

export const DEFAULT_TOTALS: ImageTotals = {
  maxRequestBytes: 40_000_000,
  maxHeldBytes: 400_000_000,
};

/** What the images of all requests take; one for all of them. */
export class HeldImageBytes {
  readonly #totals: ImageTotals;
  #held = 0;

  constructor(totals: ImageTotals = DEFAULT_TOTALS) {
    this.#totals = totals;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  /** The images of one more request. */
  open(): RequestBytes {
    let bytes = 0;
    let open = true;
    return {
      add: (more) => {
        const { maxRequestBytes, maxHeldBytes } = this.#totals;
        if (!open) return;
        if (bytes + more > maxRequestBytes)
          throw new ImageRefused(
            `the images of the request are larger than ${maxRequestBytes / 1e6} MB together`,
          );
        if (this.#held + more > maxHeldBytes) throw tooMany();
        bytes += more;
        this.#held += more;
      },
      letGo: () => {
        if (!open) return;
        open = false;
        this.#held -= bytes;
      },
    };
  }
}

/** What the images of one request take. */
export interface RequestBytes {
  /**
   * Counts so many more, before they are there or as they come.
   * @throws ImageRefused for more than a request may have; GatewayError 503 for more than there may be
   */
  add(more: number): void;
  /** They are held no longer. Calling it twice does no harm. */
  letGo(): void;
}

function tooMany(): GatewayError {
  return new GatewayError(
    "overloaded",
    "The images of all requests are as large together as they may be. Try again.",
    { retryAfter: RETRY_S, fault: "request" },
  );
}

const RETRY_S = 5;
