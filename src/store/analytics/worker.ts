import { z } from "zod";
import { withoutUrl } from "../../lib/url-secrets.ts";
import { type Database, openReadonly } from "../projection/database.ts";
import { textFor } from "../projection/statements.ts";
import { linesFrom } from "./figures.ts";
import { type FromReader, ToReader } from "./protocol.ts";

/**
 * The thread that answers questions about the log. On SQLite a query blocks its thread: here it holds up
 * neither the gateway nor the thread that brings the journal into the database.
 */
declare const self: Worker;

const Rows = z.array(z.unknown());

let place = "";
let opening: Promise<Database> | null = null;
const tell = (message: FromReader) => self.postMessage(message);

type Question = Extract<ToReader, { kind: "ask" }>;

async function run({ seq, text, values, histograms }: Question): Promise<void> {
  try {
    opening ??= openReadonly(place);
    const { sql, dialect } = await opening;
    const found: Iterable<unknown> = await sql.unsafe(textFor(dialect, text), values);
    const rows = Rows.parse([...found]);
    tell({
      kind: "answer",
      seq,
      rows: histograms === null ? rows : linesFrom(rows, histograms),
    });
  } catch (error) {
    // The next question tries anew: the database may have been away, or not been made yet.
    const failed = opening;
    opening = null;
    failed?.then(
      (database) => database.close(),
      () => undefined,
    );
    const message = error instanceof Error ? error.message : String(error);
    tell({ kind: "failed", seq, message: withoutUrl(message, place, "the database") });
  }
}

self.onmessage = async (event: MessageEvent<unknown>) => {
  const message = ToReader.parse(event.data);
  if (message.kind === "open") place = message.database;
  else if (message.kind === "ask") await run(message);
  else {
    await opening?.then(
      (database) => database.close(),
      () => undefined,
    );
    tell({ kind: "closed" });
  }
};
