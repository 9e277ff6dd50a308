import { describe } from "bun:test";
import { join } from "node:path";
import { hasPostgres, postgresDatabase } from "../postgres.ts";

export interface DatabaseKind {
  readonly name: "SQLite" | "PostgreSQL";
  /** Where an empty database is, for `openDatabase`: a file in the folder, or a database of its own. */
  readonly make: (folder: string) => Promise<string>;
  /** The same for `openStore`. */
  readonly url: () => Promise<string | null>;
}

const KINDS: readonly (DatabaseKind & { readonly here: boolean })[] = [
  {
    name: "SQLite",
    here: true,
    make: (folder) => Promise.resolve(join(folder, "covey.db")),
    url: () => Promise.resolve(null),
  },
  { name: "PostgreSQL", here: hasPostgres, make: postgresDatabase, url: postgresDatabase },
];

/** The same tests on both databases. */
export function onBothDatabases(what: string, tests: (kind: DatabaseKind) => void): void {
  for (const kind of KINDS) {
    describe.skipIf(!kind.here)(`${what} on ${kind.name}`, () => tests(kind));
  }
}
