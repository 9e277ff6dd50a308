/** Chance that is the same on every run: mulberry32. Tests name the seed of what fails. */
export class Seeded {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** 0 to 1, 1 excluded. */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  /** A whole number from 0 to `limit`, `limit` excluded. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  /** Pieces that make up this text, none of them empty. Cuts anywhere, also inside a character's surrogates. */
  cut(text: string, mostLength = 6): string[] {
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const size = 1 + this.below(mostLength);
      pieces.push(text.slice(at, at + size));
      at += size;
    }
    return pieces;
  }
}

/** Runs the check once for each of so many seeds; a failure says which. */
export function forSeeds(count: number, check: (random: Seeded) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      check(new Seeded(seed));
    } catch (error) {
      if (error instanceof Error) error.message = `with seed ${seed}: ${error.message}`;
      throw error;
    }
  }
}
