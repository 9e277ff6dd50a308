import { z } from "zod";
import type { Figures, Group, Latency, TotalsQuery } from "../../contract/analytics.ts";
import { quantile } from "../histogram.ts";
import { type Cut, cutFor, type Dimension, HISTOGRAMS, SUMS } from "../rollups.ts";
import type { Piece } from "./pieces.ts";
import { Statement } from "./statement.ts";

/** The columns behind the API's names: nothing a caller sends becomes part of a statement. */
export const COLUMNS: Readonly<Record<Group, Dimension>> = {
  key: "key_id",
  model: "model",
  provider: "provider",
  endpoint: "endpoint",
  status: "status",
  error: "error",
};

export type Filters = Pick<TotalsQuery, Group>;

const FAILED = "CASE WHEN status IN ('failed', 'interrupted', 'refused') THEN calls ELSE 0 END";
const NAMES = ["first_token", "total", "queue"] as const;
/** A histogram: adding up its 32 columns costs more than all the rest of a query (measured). */
export type Histogram = (typeof NAMES)[number];
export const ALL_HISTOGRAMS: readonly Histogram[] = NAMES;
const NANO = 1e9;

/** The filters that were asked for, by their columns. */
export function filtersOf(query: Filters): (readonly [Dimension, readonly string[]])[] {
  const found: (readonly [Dimension, readonly string[]])[] = [];
  for (const group of ["key", "model", "provider", "endpoint", "status", "error"] as const) {
    const values = query[group];
    if (values !== undefined) found.push([COLUMNS[group], values]);
  }
  return found;
}

/** The smallest cut that answers a question; reading two would count calls twice. */
export function cutOf(query: Filters, by: readonly Dimension[]): Cut {
  return cutFor([...filtersOf(query).map(([column]) => column), ...by]);
}

export interface Question {
  readonly filters: Filters;
  readonly pieces: readonly Piece[];
  /** Columns to group by. */
  readonly by: readonly Dimension[];
  /** Whether there is a line for each span: then there is one piece. */
  readonly bySpan: boolean;
  readonly histograms: readonly Histogram[];
}

/** `SELECT … FROM (the pieces) GROUP BY …`, with room for an order and a limit. */
export function figuresStatement(question: Question): Statement {
  const groups = [...(question.bySpan ? ["at"] : []), ...question.by];
  const statement = new Statement();
  const added = summed(question).map((column) => `SUM(${column}) AS ${column}`);
  added.push(`SUM(${FAILED}) AS failed`, "SUM(prompt_tokens + completion_tokens) AS tokens");
  statement.add(`SELECT ${[...groups, ...added].join(", ")} FROM (`);
  addRows(statement, question);
  statement.add(") AS spans");
  if (groups.length > 0) statement.add(` GROUP BY ${groups.join(", ")}`);
  return statement;
}

function summed({ histograms }: Question): string[] {
  return [...SUMS, ...histograms.flatMap((name) => HISTOGRAMS[name])];
}

/** The rows of all pieces, one after the other. */
function addRows(statement: Statement, question: Question): void {
  const { filters, pieces, by } = question;
  const cut = cutOf(filters, by);
  const columns = [...new Set<string>([...by, "at", "status", ...summed(question)])].join(", ");
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) statement.add(" UNION ALL ");
    statement.add(`SELECT ${columns} FROM ${piece.span} WHERE cut = '${cut}' AND at >= `);
    statement.value(piece.from).add(" AND at < ").value(piece.to);
    for (const [column, values] of filtersOf(filters)) {
      statement.add(" AND ").among(column, values);
    }
  }
}

/** PostgreSQL gives sums as text; a sum of nothing is NULL. */
const Sum = z.coerce.number().nullable();
const BUCKETS = NAMES.flatMap((name) => HISTOGRAMS[name]);
const FiguresRow = z.looseObject(
  Object.fromEntries(["failed", ...SUMS, ...BUCKETS].map((column) => [column, Sum.optional()])),
);

/** One row of figures as the API tells it, with the histograms it has. Pure. */
export function figuresFrom(row: unknown, histograms: readonly Histogram[]): Figures {
  const parsed: Readonly<Record<string, unknown>> = FiguresRow.parse(row);
  const sum = (column: string): number => {
    const value = parsed[column];
    return typeof value === "number" ? value : 0;
  };
  const latency = (name: Histogram): Latency | null => {
    if (!histograms.includes(name)) return null;
    const counts = HISTOGRAMS[name].map(sum);
    const count = counts.reduce((all, each) => all + each, 0);
    const at = (share: number) => rounded(quantile(counts, share));
    const mean = count === 0 ? null : rounded(sum(`${name}_ms`) / count);
    return { count, mean, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) };
  };
  return {
    calls: sum("calls"),
    failed: sum("failed"),
    attempts: sum("attempts"),
    prompt_tokens: sum("prompt_tokens"),
    completion_tokens: sum("completion_tokens"),
    cached_tokens: sum("cached_tokens"),
    cost_usd: sum("cost_nano_usd") / NANO,
    first_token: latency("first_token"),
    total: latency("total"),
    queue: latency("queue"),
  };
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
