import { z } from "zod";
import type { CallsQuery, Cursor } from "../../contract/analytics.ts";
import { CallRow } from "../calls.ts";
import { COLUMNS } from "./rows.ts";
import { Statement } from "./statement.ts";

export type CallFilters = Omit<CallsQuery, "limit" | "after">;

const CALL_COLUMNS = Object.keys(CallRow.shape).join(", ");
const ORDER = " ORDER BY started_at DESC, id DESC";
const NANO = 1e9;
/** Calls that one statement looks at when a filter may leave few: some milliseconds. */
const FIRST_WINDOW = 1_000;
const WINDOW = 5_000;

export const CallRows = z.array(CallRow);
const Edges = z.array(z.object({ started_at: z.coerce.number(), id: z.string() }));

/** One page of the log, and where the next one begins; null at the end. */
export interface CallPage {
  readonly rows: CallRow[];
  readonly next: Cursor | null;
}

type Ask = (statement: Statement) => Promise<unknown>;

/**
 * Calls that pass the filters, newest first. Few may pass, so the log is gone through in windows of a
 * bounded number of calls; after `patienceMs` the page ends, short or empty, with a place to go on from.
 * @param clock milliseconds that never go back
 */
export async function callPage(
  ask: Ask,
  filters: CallFilters,
  from: Cursor | null,
  limit: number,
  patienceMs: number,
  clock: () => number,
): Promise<CallPage> {
  const deadline = clock() + patienceMs;
  const rows: CallRow[] = [];
  let at = from;
  let length = FIRST_WINDOW;
  for (;;) {
    const start = await jump(ask, filters, at);
    if (start === "end") return { rows, next: null };
    at = start;
    // An index leads straight to the one; without a filter every call passes.
    const isDirect = filters.request_id !== undefined || !isSparse(filters);
    const edge = isDirect ? null : await windowEnd(ask, filters, at, length);
    const found = CallRows.parse(await ask(pageStatement(filters, at, edge, limit - rows.length)));
    rows.push(...found);
    const last = rows.at(-1);
    if (rows.length >= limit && last !== undefined) {
      return { rows, next: { startedAt: last.started_at, id: last.id } };
    }
    if (edge === null) return { rows, next: null };
    at = edge;
    length = WINDOW;
    if (clock() > deadline) return { rows, next: edge };
  }
}

function isSparse(filters: CallFilters): boolean {
  const { from: _from, to: _to, ...others } = filters;
  return Object.values(others).some((value) => value !== undefined);
}

/**
 * Straight to the next call that an index knows: the others before it are not looked at. The indexes are in
 * `migrations/0007_call_list.sql`; that of the status is only for those that say `<> 'completed'`.
 */
async function jump(
  ask: Ask,
  filters: CallFilters,
  after: Cursor | null,
): Promise<Cursor | null | "end"> {
  const indexed = indexedFilter(filters);
  if (indexed === null) return after;
  const [column, value] = indexed;
  const statement = new Statement().add("SELECT started_at, id FROM calls");
  addPlace(statement, filters, after, null);
  statement.add(` AND ${column} = `).value(value);
  if (column === "status") statement.add(" AND status <> 'completed'");
  statement.add(" ORDER BY started_at DESC LIMIT 1");
  const [found] = Edges.parse(await ask(statement));
  if (found === undefined) return "end";
  const before = { startedAt: found.started_at + 1, id: "" };
  return after !== null && after.startedAt <= found.started_at ? after : before;
}

function indexedFilter(filters: CallFilters): readonly [column: string, value: string] | null {
  for (const group of ["key", "provider", "model", "status"] as const) {
    const [value, ...others] = filters[group] ?? [];
    if (value === undefined || others.length > 0 || value === "completed") continue;
    return [COLUMNS[group], value];
  }
  return null;
}

/** The last call of the window; null when the log ends within it. */
async function windowEnd(
  ask: Ask,
  { from, to }: CallFilters,
  after: Cursor | null,
  length: number,
): Promise<Cursor | null> {
  const statement = new Statement().add("SELECT started_at, id FROM calls");
  addPlace(statement, { from, to }, after, null);
  statement.add(`${ORDER} LIMIT 1 OFFSET `).value(length - 1);
  const [edge] = Edges.parse(await ask(statement));
  return edge === undefined ? null : { startedAt: edge.started_at, id: edge.id };
}

function pageStatement(
  filters: CallFilters,
  after: Cursor | null,
  edge: Cursor | null,
  limit: number,
): Statement {
  const statement = new Statement().add(`SELECT ${CALL_COLUMNS} FROM calls`);
  addPlace(statement, filters, after, edge);
  for (const group of ["key", "model", "provider", "endpoint", "status", "error"] as const) {
    const values = filters[group];
    if (values !== undefined) statement.add(" AND ").among(COLUMNS[group], values);
  }
  const { request_id, resumed, min_cost, min_total_ms, min_first_token_ms } = filters;
  if (request_id !== undefined) statement.add(" AND request_id = ").value(request_id);
  if (resumed !== undefined) statement.add(resumed ? " AND resumed > 0" : " AND resumed = 0");
  if (min_cost !== undefined) {
    statement.add(" AND cost_nano_usd >= ").value(Math.round(min_cost * NANO));
  }
  if (min_total_ms !== undefined) statement.add(" AND total_ms >= ").value(min_total_ms);
  if (min_first_token_ms !== undefined) {
    statement.add(" AND first_token_ms >= ").value(min_first_token_ms);
  }
  return statement.add(`${ORDER} LIMIT `).value(limit);
}

/**
 * The part of the log: after one call, up to another one, within a time. Of bounds of the time there is one each:
 * of two SQLite takes the first for where to begin or end, and reads the whole log where that is the wider one.
 */
function addPlace(
  statement: Statement,
  { from, to }: Pick<CallFilters, "from" | "to">,
  after: Cursor | null,
  edge: Cursor | null,
): void {
  statement.add(" WHERE started_at >= ").value(Math.max(from ?? 0, edge?.startedAt ?? 0));
  // The time alone too: an index on another column and the time knows what that means.
  if (after !== null && (to === undefined || after.startedAt < to)) {
    statement.add(" AND started_at <= ").value(after.startedAt);
  } else if (to !== undefined) statement.add(" AND started_at < ").value(to);
  if (after !== null) addCursor(statement, "<", after);
  if (edge !== null) addCursor(statement, ">=", edge);
}

function addCursor(statement: Statement, than: "<" | ">=", { startedAt, id }: Cursor): void {
  statement.add(` AND (started_at, id) ${than} (`).value(startedAt).add(", ").value(id).add(")");
}
