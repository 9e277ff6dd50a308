import { cpus, loadavg, release } from "node:os";
import { type Sample, spread } from "./statistics.ts";

/** One line of the table: ours, the peer's beside it, and what the ratio should be. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly ours: Sample;
  readonly peer?: { readonly name: string; readonly value: Sample };
  /** Ours divided by the peer's, round by round. */
  readonly ratio?: Sample;
  /** `ratio` or `ours`: which of them the target is about. */
  readonly target?: {
    readonly of: "ratio" | "ours";
    readonly least?: number;
    readonly most?: number;
  };
}

export interface Result {
  readonly benchmark: string;
  readonly figures: readonly Figure[];
  /** Sentences under the table: what saturated, what was left out. */
  readonly notes: readonly string[];
  /** Whatever else was measured, for the JSON. */
  readonly detail?: unknown;
}

export function printResult(result: Result): void {
  const rows = result.figures.map((figure) => [
    figure.name,
    withRange(figure.ours, figure.unit),
    figure.peer === undefined
      ? ""
      : `${figure.peer.name} ${withRange(figure.peer.value, figure.unit)}`,
    figure.ratio === undefined ? "" : withRange(figure.ratio, "×"),
    targetText(figure),
    verdict(figure),
  ]);
  console.log(`\n${result.benchmark}`);
  printTable(["", "covey (min–max)", "beside it", "ratio", "target", ""], rows);
  for (const note of result.notes) console.log(`  ${note}`);
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [head, ...rows]) {
    console.log(
      `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
    );
  }
}

/** Null where there is no target. */
export function isMet({ target, ours, ratio }: Figure): boolean | null {
  if (target === undefined) return null;
  const value = (target.of === "ratio" ? ratio : ours)?.median ?? Number.NaN;
  return value >= (target.least ?? -Infinity) && value <= (target.most ?? Infinity);
}

function verdict(figure: Figure): string {
  const met = isMet(figure);
  return met === null ? "" : met ? "met" : "MISSED";
}

function targetText({ target, unit }: Figure): string {
  if (target === undefined) return "";
  const shown = target.of === "ratio" ? "×" : ` ${unit}`;
  return target.least === undefined ? `≤ ${target.most}${shown}` : `≥ ${target.least}${shown}`;
}

function withRange(value: Sample, unit: string): string {
  const text = `${round(value.median)}${unit === "×" ? unit : ` ${unit}`}`;
  return spread(value) === 0 ? text : `${text} (${round(value.min)}–${round(value.max)})`;
}

/** Three figures that mean something. */
function round(value: number): string {
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value >= 1000 ? String(Math.round(value)) : value.toFixed(Math.min(digits, 3));
}

/** What a figure is worth without: the machine it was taken on. */
export function machine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? "unknown",
    cores: processors.length,
    kernel: release(),
    bun: Bun.version,
    load: loadavg(),
  };
}

export async function writeJson(file: string, results: readonly Result[]): Promise<void> {
  const body = {
    at: new Date().toISOString(),
    machine: machine(),
    results: results.map((result) => ({
      ...result,
      figures: result.figures.map((figure) => ({ ...figure, met: isMet(figure) })),
    })),
  };
  await Bun.write(file, `${JSON.stringify(body, null, 2)}\n`);
}
