import { z } from "zod";
import { Figures, type Latency } from "../../contract/analytics.ts";
import { quantile } from "../histogram.ts";
import { HISTOGRAMS, SUMS } from "../rollups.ts";
import { addRows, type Rows, seriesGroups } from "./rows.ts";
import { Statement } from "./statement.ts";

const NAMES = ["first_token", "total", "queue"] as const;
export const Histogram = z.enum(NAMES);
/** A histogram: adding up its 32 columns costs more than all the rest of a query (measured). */
export type Histogram = z.infer<typeof Histogram>;
export const ALL_HISTOGRAMS: readonly Histogram[] = NAMES;
const NANO = 1e9;

export interface Question extends Rows {
  /** Whether there is a line for each span: then there is one piece, and the lines come in the order of their time. */
  readonly bySpan: boolean;
  readonly histograms: readonly Histogram[];
}

/** `SELECT … FROM (the pieces) GROUP BY …`, with room for an order and a limit; of a series, for a limit. */
export function figuresStatement(question: Question): Statement {
  const { by, bySpan, histograms } = question;
  const sums = [...SUMS, ...histograms.flatMap((name) => HISTOGRAMS[name])];
  const groups = bySpan ? seriesGroups(question) : by;
  const added = sums.map((column) => `SUM(${column}) AS ${column}`);
  added.push("SUM(prompt_tokens + completion_tokens) AS tokens");
  const statement = new Statement();
  const told = [...(bySpan ? ["at"] : []), ...by.map((column) => `${column} AS grouped`)];
  statement.add(`SELECT ${[...told, ...added].join(", ")} FROM (`);
  addRows(statement, question, [...groups, ...sums]);
  statement.add(") AS spans");
  if (groups.length > 0) statement.add(` GROUP BY ${groups.join(", ")}`);
  if (bySpan) statement.add(` ORDER BY ${groups.join(", ")}`);
  return statement;
}

/** A line of figures: of which span and which group, where they were asked for. */
export const Line = z.object({
  at: z.number().nullable(),
  group: z.string().nullable(),
  figures: Figures,
});
export type Line = z.infer<typeof Line>;

/**
 * What `figuresStatement` found, as the API tells it. Of a long series it takes longer than the query, and makes
 * a tenth of what it reads: that is why it is done where the query was. Pure.
 */
export function linesFrom(rows: readonly unknown[], histograms: readonly Histogram[]): Line[] {
  return rows.map((found) => {
    const row = Row.parse(found);
    const { at = null, grouped = null } = row;
    return {
      at: at === null ? null : numberIn(at),
      group: typeof grouped === "string" ? grouped : null,
      figures: figuresFrom((column) => numberIn(row[column]), histograms),
    };
  });
}

const Row = z.custom<Readonly<Record<string, unknown>>>(
  (row) => typeof row === "object" && row !== null,
);

/** PostgreSQL gives sums as text; a sum of nothing is NULL. */
function numberIn(value: unknown): number {
  if (value === null || value === undefined) return 0;
  const number = typeof value === "number" ? value : Number(value);
  if (Number.isNaN(number)) throw new Error("a sum is no number");
  return number;
}

function figuresFrom(
  sum: (column: string) => number,
  histograms: readonly Histogram[],
): z.infer<typeof Figures> {
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
