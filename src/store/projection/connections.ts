import { type Database, openDatabase, openReadonly } from "./database.ts";
import type { Destination } from "./ingest.ts";
import { type Position, takePosition } from "./position.ts";

/** Where the log goes, and in whose name this process writes it. */
export interface Place {
  /** The path of a SQLite file, or the URL of a PostgreSQL database, which is a secret. */
  readonly database: string;
  /** The id in the home folder. */
  readonly gateway: string;
  /** Of this process; random. */
  readonly process: string;
}

/** One connection that writes and one, or some, that only read. */
export interface Connections {
  readonly writer: Destination;
  readonly reader: Database;
  /** How far this gateway's journal has been read. */
  position: Position;
  close(): Promise<void>;
}

/** Opens both. `first`: this process has not written before; see `takePosition`. */
export async function openConnections(place: Place, first: boolean): Promise<Connections> {
  const { database, gateway, process } = place;
  const writing = await openDatabase(database);
  try {
    const owner = { gateway, process, connection: Bun.randomUUIDv7() };
    const position = await takePosition(writing.sql, owner, first);
    const reader = await openReadonly(database);
    const close = async () => {
      await Promise.allSettled([reader.close(), writing.close()]);
    };
    return { writer: { ...writing, owner }, reader, position, close };
  } catch (error) {
    await writing.close();
    throw error;
  }
}
