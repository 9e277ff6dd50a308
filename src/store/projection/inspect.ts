import { z } from "zod";
import { openReadonly } from "./database.ts";

/** A PostgreSQL database as its user finds it. */
export interface Inspected {
  /** `15.4`. */
  readonly version: string;
  readonly isReplica: boolean;
  /** Where tables would be made, and whether they may be. */
  readonly schema: string;
  readonly mayCreate: boolean;
  /** Covey has not been here. */
  readonly isEmpty: boolean;
}

const Rows = z
  .array(
    z.object({
      version: z.string(),
      recovery: z.boolean(),
      schema: z.string().nullable(),
      may_create: z.boolean().nullable(),
      known: z.boolean(),
    }),
  )
  .length(1);

const LOOK = `SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS recovery,
  current_schema() AS schema, has_schema_privilege(current_schema(), 'CREATE') AS may_create,
  to_regclass('migrations') IS NOT NULL AS known`;

/** Connects, looks, and changes nothing. Rejects as the driver does. @param url of PostgreSQL */
export async function inspectDatabase(url: string): Promise<Inspected> {
  const { sql, close } = await openReadonly(url);
  try {
    const rows: Iterable<unknown> = await sql.unsafe(LOOK);
    const [row] = Rows.parse([...rows]);
    if (row === undefined) throw new Error("it gave no answer");
    return {
      version: row.version.split(" ")[0] ?? row.version,
      isReplica: row.recovery,
      schema: row.schema ?? "public",
      mayCreate: row.may_create ?? false,
      isEmpty: !row.known,
    };
  } finally {
    await close();
  }
}
