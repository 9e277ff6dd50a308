import { SPANS, type Span } from "../rollups.ts";

/** A part of a time that one table of rollups answers for. Unix milliseconds, `to` is not part of it. */
export interface Piece {
  readonly span: Span;
  readonly from: number;
  readonly to: number;
}

/** How long rollups are kept, in milliseconds; 0 is for ever. */
export interface Kept {
  readonly minutesMs: number;
  readonly hoursMs: number;
}

const FINER: readonly Span[] = ["minutes", "hours", "days"];

/**
 * A time as whole days, with hours and minutes at its edges, so that few rows are read. An edge for
 * which the finer rollups are gone is moved outwards, to the hour or the day. Pure.
 */
export function piecesOf(from: number, to: number, now: number, kept: Kept): Piece[] {
  const start = floor(from, finest(from, now, kept));
  const end = ceil(to, finest(to, now, kept));
  return cover(start, end, 2);
}

function cover(from: number, to: number, level: number): Piece[] {
  if (from >= to) return [];
  const span = FINER[level] ?? "minutes";
  if (level === 0) return [{ span, from, to }];
  const inner = { span, from: ceil(from, span), to: floor(to, span) };
  if (inner.from >= inner.to) return cover(from, to, level - 1);
  return [...cover(from, inner.from, level - 1), inner, ...cover(inner.to, to, level - 1)];
}

function finest(at: number, now: number, { minutesMs, hoursMs }: Kept): Span {
  // What is a little too old may be deleted at any moment.
  const age = now - at + SPANS.hours;
  if (minutesMs === 0 || age < minutesMs) return "minutes";
  return hoursMs === 0 || age < hoursMs ? "hours" : "days";
}

export function floor(at: number, span: Span): number {
  return Math.floor(at / SPANS[span]) * SPANS[span];
}

export function ceil(at: number, span: Span): number {
  return Math.ceil(at / SPANS[span]) * SPANS[span];
}
