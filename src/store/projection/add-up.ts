import type { SQL } from "bun";
import { z } from "zod";
import { bucketOf } from "../histogram.ts";
import {
  CUTS,
  CUTS_OF,
  type Cut,
  DIMENSIONS,
  FAILED,
  HISTOGRAMS,
  SPANS,
  type Span,
  SUMS,
} from "../rollups.ts";
import { type Dialect, inChunks, placeholders } from "./statements.ts";

/** What a row's end adds to the rollups. */
export const Ended = z.object({
  id: z.string(),
  started_at: z.coerce.number(),
  endpoint: z.string(),
  model: z.string(),
  provider: z.string().nullable(),
  key_id: z.string(),
  status: z.string(),
  error: z.string().nullable(),
  prompt_tokens: z.coerce.number(),
  completion_tokens: z.coerce.number(),
  cached_tokens: z.coerce.number(),
  cost_nano_usd: z.coerce.number().nullable(),
  queue_ms: z.number().nullable(),
  first_token_ms: z.number().nullable(),
  total_ms: z.number().nullable(),
  calls: z.coerce.number(),
  /** Attempts; not a column of `calls`. */
  tries: z.number().default(0),
});
export type Ended = z.infer<typeof Ended>;

const ROWS_PER_STATEMENT = 64;
const MEASURED = [
  ["first_token_ms", HISTOGRAMS.first_token],
  ["total_ms", HISTOGRAMS.total],
  ["queue_ms", HISTOGRAMS.queue],
] as const;
const KEY = ["cut", "at", ...DIMENSIONS] as const;
const ADDED = [...SUMS, ...MEASURED.flatMap(([, columns]) => columns)];
const COLUMNS = [...KEY, ...ADDED];
/** Where each histogram begins among what is added. */
const BEGINS = MEASURED.map(([, columns]) => ADDED.indexOf(columns[0] ?? ""));

interface Cell {
  readonly key: readonly (string | number)[];
  /** In the order of `ADDED`. */
  readonly added: number[];
}

/** The cells of one table that these ends change, each once, in the order of their keys. */
export function cellsOf(span: Span, ended: readonly Ended[]): Cell[] {
  const cells = new Map<string, Cell>();
  // What a row adds to is looked up once for all that are alike: under load most are.
  const alike = new Map<string, readonly Cell[]>();
  for (const row of ended) {
    const at = Math.floor(row.started_at / SPANS[span]) * SPANS[span];
    const values = valuesOf(row);
    const name = `${at} ${JSON.stringify(values)}`;
    let changed = alike.get(name);
    if (changed === undefined) {
      changed = CUTS_OF[span].map((cut) => cellIn(cells, keyOf(cut, at, values)));
      alike.set(name, changed);
    }
    const additions = additionsOf(row);
    for (const { added } of changed) {
      for (const [place, by] of additions) added[place] = (added[place] ?? 0) + by;
    }
  }
  // Gateways that change the same rows lock them in the same order, or they would wait for each other for ever.
  return [...cells].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, cell]) => cell);
}

/** In the order of `DIMENSIONS`. */
function valuesOf(row: Ended): readonly string[] {
  const model = row.status === "refused" ? "" : row.model;
  return [row.key_id, model, row.provider ?? "", row.endpoint, row.status, row.error ?? ""];
}

function keyOf(cut: Cut, at: number, values: readonly string[]): (string | number)[] {
  const known = CUTS[cut];
  return [cut, at, ...DIMENSIONS.map((name, n) => (known.includes(name) ? (values[n] ?? "") : ""))];
}

function cellIn(cells: Map<string, Cell>, key: (string | number)[]): Cell {
  const name = JSON.stringify(key);
  let cell = cells.get(name);
  if (cell === undefined) {
    cell = { key, added: Array<number>(ADDED.length).fill(0) };
    cells.set(name, cell);
  }
  return cell;
}

/** What a row adds, by its place in `ADDED`; most of those stay as they are. */
function additionsOf(row: Ended): (readonly [place: number, by: number])[] {
  const sums = [
    row.calls,
    row.prompt_tokens,
    row.completion_tokens,
    row.cached_tokens,
    row.cost_nano_usd ?? 0,
    row.tries,
    row.first_token_ms ?? 0,
    row.total_ms ?? 0,
    row.queue_ms ?? 0,
    FAILED.includes(row.status) ? row.calls : 0,
  ];
  const additions = sums.map((by, place) => [place, by] as const);
  for (const [n, [column]] of MEASURED.entries()) {
    const ms = row[column];
    if (ms !== null) additions.push([(BEGINS[n] ?? 0) + bucketOf(ms), 1]);
  }
  return additions.filter(([, by]) => by !== 0);
}

/** Adds what has ended to the minutes, hours and days, in the caller's transaction. */
export async function addUp(
  sql: Pick<SQL, "unsafe">,
  dialect: Dialect,
  ended: readonly Ended[],
): Promise<void> {
  if (ended.length === 0) return;
  for (const span of ["minutes", "hours", "days"] as const) {
    await addUpSpan(sql, dialect, span, ended);
  }
}

/** The same to one of the three tables. */
export async function addUpSpan(
  sql: Pick<SQL, "unsafe">,
  dialect: Dialect,
  span: Span,
  ended: readonly Ended[],
): Promise<void> {
  await inChunks(cellsOf(span, ended), ROWS_PER_STATEMENT, async (cells) => {
    const values = cells.flatMap((cell) => [...cell.key, ...cell.added]);
    await sql.unsafe(statement(dialect, span, cells.length), values);
  });
}

const statements = new Map<string, string>();

function statement(dialect: Dialect, span: Span, rows: number): string {
  const name = `${dialect} ${span} ${rows}`;
  let text = statements.get(name);
  if (text === undefined) {
    const changes = ADDED.map((column) => `${column} = ${span}.${column} + excluded.${column}`);
    text = `INSERT INTO ${span} (${COLUMNS.join(", ")})
      VALUES ${placeholders(dialect, rows, COLUMNS.length)}
      ON CONFLICT (${KEY.join(", ")}) DO UPDATE SET ${changes.join(", ")}`;
    statements.set(name, text);
  }
  return text;
}
