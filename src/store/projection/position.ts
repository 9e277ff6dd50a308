import type { SQL } from "bun";
import { z } from "zod";

/** How far the journal has been read into the database. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
  /** Bytes that were damaged, ever. */
  readonly skippedBytes: number;
  /** The header of the segment's first record, once something of it was read: whose segment it is. */
  readonly head?: string;
}

/** Who moves a position: one connection of one process of one gateway. */
export interface Owner {
  /** The id in the home folder. */
  readonly gateway: string;
  /** Of this process; random. */
  readonly process: string;
  /** Of this connection; random. */
  readonly connection: string;
}

/** Another process has this gateway's position: two journals must not be read by one position. */
export class TakenOver extends Error {
  override readonly name = "TakenOver";
  constructor(gateway: string) {
    super(
      `another process writes the log as gateway ${gateway}: was its home folder copied? Stop it, or delete the file gateway-id in the copy`,
    );
  }
}

const Rows = z
  .array(
    z.object({
      segment: z.coerce.number(),
      byte_offset: z.coerce.number(),
      skipped_bytes: z.coerce.number(),
      segment_head: z.string(),
    }),
  )
  .max(1);
const Owners = z.array(z.object({ owner: z.string() }));
const Moved = z.array(z.unknown());

/**
 * Makes this connection the one that may move the gateway's position, and reads it. A connection that was
 * given up with a transaction under way can't commit any more after this. `first` is the process's first
 * time; later it throws `TakenOver` where another process came in between.
 */
export async function takePosition(sql: SQL, owner: Owner, first: boolean): Promise<Position> {
  const mine = `${owner.process}/${owner.connection}`;
  return await sql.begin(async (transaction) => {
    await adopt(transaction, owner.gateway);
    await transaction.unsafe(
      `INSERT INTO journal_positions (gateway, owner, segment, byte_offset, skipped_bytes)
        VALUES ($1, '', 0, 0, 0) ON CONFLICT (gateway) DO NOTHING`,
      [owner.gateway],
    );
    const rows = await transaction.unsafe(
      "UPDATE journal_positions SET owner = owner WHERE gateway = $1 RETURNING owner",
      [owner.gateway],
    );
    const before = Owners.parse(rows)[0]?.owner ?? "";
    if (!first && !before.startsWith(`${owner.process}/`)) throw new TakenOver(owner.gateway);
    const [row] = Rows.parse(
      await transaction.unsafe(
        `UPDATE journal_positions SET owner = $1 WHERE gateway = $2
          RETURNING segment, byte_offset, skipped_bytes, segment_head`,
        [mine, owner.gateway],
      ),
    );
    if (row === undefined) throw new Error("journal_positions has lost its row");
    return positionOf(row);
  });
}

/** What was written before rows said whose they are belongs to the first gateway that comes. */
async function adopt(sql: Pick<SQL, "unsafe">, gateway: string): Promise<void> {
  const adopted = Moved.parse(
    await sql.unsafe(
      `UPDATE journal_positions SET gateway = $1 WHERE gateway = ''
        AND NOT EXISTS (SELECT 1 FROM journal_positions WHERE gateway = $2) RETURNING gateway`,
      [gateway, gateway],
    ),
  );
  if (adopted.length === 0) return;
  await sql.unsafe("UPDATE calls SET gateway = $1 WHERE gateway = '' AND status = 'running'", [
    gateway,
  ]);
}

/** Moves it, in the transaction of what was read. Throws when this connection may not any more. */
export async function movePosition(
  sql: Pick<SQL, "unsafe">,
  owner: Owner,
  next: Position,
): Promise<void> {
  const moved: unknown = await sql.unsafe(
    `UPDATE journal_positions SET segment = $1, byte_offset = $2, skipped_bytes = $3, segment_head = $4
      WHERE gateway = $5 AND owner = $6 RETURNING gateway`,
    [
      next.segment,
      next.offset,
      next.skippedBytes,
      next.head ?? "",
      owner.gateway,
      `${owner.process}/${owner.connection}`,
    ],
  );
  if (Moved.parse(moved).length !== 1) throw new Error("another connection reads this journal");
}

/** Where a gateway's journal has been read to; null for one that never wrote. */
export async function readPosition(
  sql: Pick<SQL, "unsafe">,
  gateway: string,
): Promise<Position | null> {
  const [row] = Rows.parse(
    await sql.unsafe(
      "SELECT segment, byte_offset, skipped_bytes, segment_head FROM journal_positions WHERE gateway = $1",
      [gateway],
    ),
  );
  return row === undefined ? null : positionOf(row);
}

function positionOf(row: z.infer<typeof Rows>[number]): Position {
  const { segment, byte_offset: offset, skipped_bytes: skippedBytes, segment_head: head } = row;
  return { segment, offset, skippedBytes, ...(head === "" ? {} : { head }) };
}
