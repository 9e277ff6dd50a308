/** Who keeps what it can find anew. */
export interface Keeper {
  forget(): void;
}

/** Bytes, about, that all forms of one model keep together of where their texts have been: 64 MiB. */
const MOST_BYTES = 2 ** 26;

/** One bound over all that is kept: where it is passed, all of it is forgotten. */
export class GuideMemory {
  readonly #most: number;
  readonly #keepers = new Set<Keeper>();
  #bytes = 0;

  constructor(most = MOST_BYTES) {
    this.#most = most;
  }

  /** Bytes that are kept now, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Says that `keeper` keeps so much more; it may be told to forget before this returns. */
  take(keeper: Keeper, bytes: number): void {
    this.#keepers.add(keeper);
    this.#bytes += bytes;
    if (this.#bytes <= this.#most) return;
    for (const each of [...this.#keepers]) each.forget();
  }

  /** `keeper` has forgotten all it kept, which was so much. */
  give(keeper: Keeper, bytes: number): void {
    this.#keepers.delete(keeper);
    this.#bytes -= bytes;
  }
}
