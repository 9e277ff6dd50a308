import type { Group } from "../../contract/analytics.ts";
import { CUTS, type Cut, cutFor, DIMENSIONS, type Dimension, SPANS } from "../rollups.ts";
import type { Piece } from "./pieces.ts";
import type { Statement } from "./statement.ts";

/** The columns behind the API's names: nothing a caller sends becomes part of a statement. */
export const COLUMNS: Readonly<Record<Group, Dimension>> = {
  key: "key_id",
  model: "model",
  provider: "provider",
  endpoint: "endpoint",
  status: "status",
  error: "error",
};

export type Filters = { readonly [G in Group]?: readonly string[] | undefined };

/** Which rows of the rollups: those of some times that pass the filters, told apart by some dimensions. */
export interface Rows {
  readonly filters: Filters;
  readonly pieces: readonly Piece[];
  readonly by: readonly Dimension[];
}

/** The rows of all pieces, one after the other; of each one cut, since two would count calls twice. */
export function addRows(
  statement: Statement,
  { filters, pieces, by }: Rows,
  columns: readonly string[],
): void {
  const wanted = filtersOf(filters);
  const filtered = wanted.map(([column]) => column);
  for (const [index, { span, from, to }] of pieces.entries()) {
    if (index > 0) statement.add(" UNION ALL ");
    const cut = cutFor(span, [...filtered, ...by]);
    const found = foundBy(cut, filtered);
    statement.add(`SELECT ${columns.join(", ")} FROM ${span}`);
    // SQLite has no statistics of its tables by which it would find that out.
    if (cut === "uses" && found === null)
      statement.add(` /* sqlite: INDEXED BY ${span}_by_model */`);
    statement.add(` WHERE cut = '${cut}' AND `);
    addTime(statement, { span, from, to }, found !== null);
    // No more of those that are '': PostgreSQL would take each for a reason why there are few rows.
    for (const column of found ?? []) statement.add(` AND ${column} = ''`);
    for (const [column, values] of wanted) statement.add(" AND ").among(column, values);
  }
}

/**
 * The columns to group a series by, so that the rows already lie in that order and the first ones can be had
 * without looking at all: those that are '' in the cut change nothing but that.
 */
export function seriesGroups({ filters, pieces, by }: Rows): string[] {
  const span = pieces[0]?.span ?? "minutes";
  const cut = cutFor(span, [...filtersOf(filters).map(([column]) => column), ...by]);
  const last = DIMENSIONS.findLastIndex((dimension) => by.includes(dimension));
  const constant = constantsOf(cut);
  const before = DIMENSIONS.slice(0, last + 1);
  return ["at", ...before.filter((name) => by.includes(name) || constant.includes(name))];
}

/** The filters that were asked for, by their columns. */
function filtersOf(query: Filters): (readonly [Dimension, readonly string[]])[] {
  const found: (readonly [Dimension, readonly string[]])[] = [];
  for (const group of ["key", "model", "provider", "endpoint", "status", "error"] as const) {
    const values = query[group];
    if (values !== undefined) found.push([COLUMNS[group], values]);
  }
  return found;
}

function constantsOf(cut: Cut): Dimension[] {
  return DIMENSIONS.filter((dimension) => !CUTS[cut].includes(dimension));
}

/**
 * Where the first dimension of the cut is filtered on, the rows that pass lie together within each span: the
 * columns before it, which are '' in the cut. Else null.
 */
function foundBy(cut: Cut, filtered: readonly Dimension[]): Dimension[] | null {
  const [first] = CUTS[cut];
  if (first !== undefined && filtered.includes(first)) {
    return DIMENSIONS.slice(0, DIMENSIONS.indexOf(first));
  }
  return null;
}

/** `each`: every span is named, so that the database goes straight to some rows of each instead of reading all. */
function addTime(statement: Statement, { span, from, to }: Piece, each: boolean): void {
  if (!each) {
    statement.add("at >= ").value(from).add(" AND at < ").value(to);
    return;
  }
  const next = `at + ${SPANS[span]}`;
  statement.add("at IN (WITH RECURSIVE moments(at) AS (SELECT CAST(").value(from);
  statement.add(` AS BIGINT) UNION ALL SELECT ${next} FROM moments WHERE ${next} < `).value(to);
  statement.add(") SELECT at FROM moments)");
}
