/** What SQLite and PostgreSQL write differently, and nothing else does. */
export type Dialect = "sqlite" | "postgres";

/**
 * `(?, ?), (?, ?)` for SQLite, `($1, $2), ($3, $4)` for PostgreSQL. Bun.SQL on SQLite looks numbered
 * places up one by one, and a statement of 2,700 of them takes fourteen times as long; PostgreSQL knows
 * no others.
 */
export function placeholders(dialect: Dialect, rows: number, columns: number): string {
  if (dialect === "sqlite") {
    const row = `(${Array(columns).fill("?").join(", ")})`;
    return Array(rows).fill(row).join(", ");
  }
  const row = (at: number) =>
    `(${Array.from({ length: columns }, (_, n) => `$${at * columns + n + 1}`).join(", ")})`;
  return Array.from({ length: rows }, (_, at) => row(at)).join(", ");
}

/**
 * A migration or a statement as one database reads it: `/* sqlite: … *\/` is SQLite's, `/* postgres: … *\/` is PostgreSQL's.
 */
export function textFor(dialect: Dialect, text: string): string {
  return text.replace(/\/\* (sqlite|postgres): (.*?) \*\//g, (_, whose: string, inner: string) =>
    whose === dialect ? inner : "",
  );
}

/**
 * `count` cut into pieces of at most `most`, which must be a power of two, of few different lengths: each length
 * is a statement that the database prepares once.
 */
export function chunkLengths(count: number, most: number): number[] {
  const lengths: number[] = [];
  for (let left = count, length = most; left > 0; length = Math.max(1, length >> 1)) {
    for (; left >= length; left -= length) lengths.push(length);
  }
  return lengths;
}

/** Runs `work` on such pieces of a list, one after the other. */
export async function inChunks<T>(
  items: readonly T[],
  most: number,
  work: (chunk: readonly T[]) => Promise<void>,
): Promise<void> {
  let from = 0;
  for (const length of chunkLengths(items.length, most)) {
    await work(items.slice(from, from + length));
    from += length;
  }
}
