import { z } from "zod";
import type {
  CallsQuery,
  Cursor,
  Errors,
  Series,
  SeriesQuery,
  Top,
  TopQuery,
  Totals,
  TotalsQuery,
} from "../../contract/analytics.ts";
import { GatewayError } from "../../contract/errors.ts";
import type { CallRow } from "../calls.ts";
import { SPANS, type Span } from "../rollups.ts";
import { type CallPage, CallRows, callPage } from "./call-list.ts";
import { ALL_HISTOGRAMS, figuresStatement, type Histogram, type Line } from "./figures.ts";
import { ceil, floor, type Kept, type Piece, piecesOf } from "./pieces.ts";
import { addRows, COLUMNS } from "./rows.ts";
import { Statement } from "./statement.ts";

/** What lists of figures show, where they are asked for latencies. */
const SHOWN: readonly Histogram[] = ["first_token", "total"];
const DAY = SPANS.days;
const HOUR = SPANS.hours;
/** Lines of a series: a month by hours of six things. */
const MOST_POINTS = 5_000;
const LONGEST: Readonly<Record<Span, number>> = { minutes: DAY, hours: 31 * DAY, days: 1500 * DAY };
const SPAN_OF = { minute: "minutes", hour: "hours", day: "days" } as const;
/** A page of the list is put together for so long. */
const PATIENCE_MS = 75;

const ErrorRows = z.array(
  z.object({ error: z.string(), status: z.string(), calls: z.coerce.number() }),
);

/** Runs one read-only statement; a `figuresStatement` with `lines`, and with the histograms that are in it. */
export interface Asked {
  rows(statement: Statement): Promise<unknown[]>;
  lines(statement: Statement, histograms: readonly Histogram[]): Promise<Line[]>;
}
/** What the analytics API asks of the log: rollups for figures, the calls only by pages. It has no names of keys. */
export interface Analytics {
  totals(query: TotalsQuery): Promise<Totals>;
  series(query: SeriesQuery): Promise<Series>;
  top(query: TopQuery): Promise<Top>;
  errors(query: TotalsQuery): Promise<Errors>;
  calls(query: CallsQuery): Promise<CallPage>;
  call(id: string): Promise<CallRow | null>;
}

/** @param now Unix milliseconds */
export function analyticsBy(asked: Asked, kept: Kept, now: () => number = Date.now): Analytics {
  const rangeOf = (query: { from?: number | undefined; to?: number | undefined }) => {
    const to = query.to ?? now();
    const from = query.from ?? to - DAY;
    if (from >= to) throw wrong("from", "'from' must be before 'to'.");
    return { from, to };
  };
  const piecesIn = (query: TotalsQuery): Piece[] => {
    const { from, to } = rangeOf(query);
    return piecesOf(from, to, now(), kept);
  };
  return {
    async totals(query) {
      const pieces = piecesIn(query);
      const histograms = ALL_HISTOGRAMS;
      const question = { filters: query, pieces, by: [], bySpan: false, histograms };
      const [line] = await asked.lines(figuresStatement(question), histograms);
      if (line === undefined) throw new Error("a sum of nothing is still a row");
      return { object: "totals", ...momentsOf(pieces), ...line.figures };
    },

    async series(query) {
      const { from, to } = rangeOf(query);
      const name = query.span ?? usualSpan(to - from);
      const span = SPAN_OF[name];
      if (to - from > LONGEST[span] + 2 * SPANS[span]) {
        const days = LONGEST[span] / DAY;
        throw wrong("from", `A series by ${name} is of ${days} days at most: take a longer span.`);
      }
      const piece = { span, from: floor(from, span), to: ceil(to, span) };
      const by = query.by === undefined ? [] : [COLUMNS[query.by]];
      const histograms = (query.latency ?? query.by === undefined) ? SHOWN : [];
      const pieces = [piece];
      const statement = figuresStatement({ filters: query, pieces, by, bySpan: true, histograms });
      statement.add(" LIMIT ").value(MOST_POINTS + 1);
      const lines = await asked.lines(statement, histograms);
      return {
        object: "list",
        ...momentsOf([piece]),
        span: name,
        by: query.by ?? null,
        truncated: lines.length > MOST_POINTS,
        data: lines.slice(0, MOST_POINTS).map(({ at, group, figures }) => ({
          at: iso(at ?? 0),
          group,
          name: null,
          ...figures,
        })),
      };
    },

    async top(query) {
      const pieces = piecesIn(query);
      const group = query.by ?? "model";
      const question = { filters: query, pieces, by: [COLUMNS[group]], bySpan: false };
      const statement = figuresStatement({ ...question, histograms: [] });
      statement.add(` ORDER BY ${ORDERS[query.sort ?? "calls"]} DESC, ${COLUMNS[group]} LIMIT `);
      const ranked = await asked.lines(statement.value(query.limit ?? 20), []);
      const names = ranked.map((line) => line.group ?? "");
      const detailed = new Map<string | null, Line>();
      // Histograms are added up for those alone that are shown: to sort them all by group takes far longer.
      if (query.latency === true) {
        const filters = { ...query, [group]: names };
        const of = figuresStatement({ ...question, filters, histograms: SHOWN });
        for (const line of await asked.lines(of, SHOWN)) detailed.set(line.group, line);
      }
      const data = ranked.map((line) => {
        const { figures } = detailed.get(line.group) ?? line;
        return { group: line.group ?? "", name: null, ...figures };
      });
      return { object: "list", ...momentsOf(pieces), by: group, data };
    },

    async errors(query) {
      const pieces = piecesIn(query);
      const by = ["error", "status"] as const;
      const statement = new Statement().add("SELECT error, status, SUM(calls) AS calls FROM (");
      addRows(statement, { filters: query, pieces, by }, [...by, "calls"]);
      statement.add(") AS spans WHERE error <> '' GROUP BY error, status");
      statement.add(" ORDER BY 3 DESC, error, status LIMIT 500");
      return {
        object: "list",
        ...momentsOf(pieces),
        data: ErrorRows.parse(await asked.rows(statement)),
      };
    },

    calls({ limit, after, ...filters }) {
      const from: Cursor | null = after ?? null;
      return callPage(
        (statement) => asked.rows(statement),
        filters,
        from,
        limit ?? 100,
        PATIENCE_MS,
        () => performance.now(),
      );
    },

    async call(id) {
      const statement = new Statement().add(`SELECT ${CALL_COLUMNS} FROM calls WHERE id = `);
      return CallRows.parse(await asked.rows(statement.value(id)))[0] ?? null;
    },
  };
}

const CALL_COLUMNS = Object.keys(CallRows.element.shape).join(", ");

/** How each order is written; names that a caller sends only choose among these. */
const ORDERS: Readonly<Record<NonNullable<TopQuery["sort"]>, string>> = {
  calls: "calls",
  tokens: "tokens",
  cost: "cost_nano_usd",
  failed: "failed",
};

function usualSpan(length: number): "minute" | "hour" | "day" {
  if (length <= 3 * HOUR) return "minute";
  return length <= 4 * DAY ? "hour" : "day";
}

/** What was really answered for: edges are moved outwards to where rollups begin and end. */
function momentsOf(pieces: readonly Piece[]): { from: string; to: string } {
  return { from: iso(pieces[0]?.from ?? 0), to: iso(pieces.at(-1)?.to ?? 0) };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function wrong(param: string, message: string): GatewayError {
  return new GatewayError("invalid_request", message, { param });
}
