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
const BUCKETS = [...HISTOGRAMS.first_token, ...HISTOGRAMS.total, ...HISTOGRAMS.queue];
/** What a row of figures is added up from. */
const ADDED: readonly string[] = [
  ...[...SUMS, ...BUCKETS].map((column) => `SUM(${column}) AS ${column}`),
  `SUM(${FAILED}) AS failed`,
  "SUM(prompt_tokens + completion_tokens) AS tokens",
];
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
}

/** `SELECT … FROM (the pieces) GROUP BY …`, with room for an order and a limit. */
export function figuresStatement(question: Question): Statement {
  const groups = [...(question.bySpan ? ["at"] : []), ...question.by];
  const statement = new Statement();
  statement.add(`SELECT ${[...groups, ...ADDED].join(", ")} FROM (`);
  addRows(statement, question);
  statement.add(") AS spans");
  if (groups.length > 0) statement.add(` GROUP BY ${groups.join(", ")}`);
  return statement;
}

/** The rows of all pieces, one after the other. */
export function addRows(statement: Statement, { filters, pieces, by }: Question): void {
  const cut = cutOf(filters, by);
  const columns = [...new Set<string>([...by, "at", "status", ...SUMS, ...BUCKETS])].join(", ");
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
const FiguresRow = z.looseObject({
  failed: Sum,
  ...Object.fromEntries([...SUMS, ...BUCKETS].map((column) => [column, Sum])),
});

/** One row of figures as the API tells it. Pure. */
export function figuresFrom(row: unknown): Figures {
  const parsed: Readonly<Record<string, unknown>> = FiguresRow.parse(row);
  const sum = (column: string): number => {
    const value = parsed[column];
    return typeof value === "number" ? value : 0;
  };
  const latency = (columns: readonly string[], total: string): Latency => {
    const counts = columns.map(sum);
    const count = counts.reduce((all, each) => all + each, 0);
    const at = (share: number) => rounded(quantile(counts, share));
    const mean = count === 0 ? null : rounded(sum(total) / count);
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
    first_token: latency(HISTOGRAMS.first_token, "first_token_ms"),
    total: latency(HISTOGRAMS.total, "total_ms"),
    queue: latency(HISTOGRAMS.queue, "queue_ms"),
  };
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
