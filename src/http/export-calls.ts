import type { CallItem } from "../contract/analytics.ts";

/** The columns of the CSV, in order. */
export const CSV_COLUMNS = [
  ...["id", "started_at", "ended_at", "endpoint", "model", "provider", "key", "key_name", "stream"],
  ...["request_id", "referer", "title", "status", "http_status", "error", "finish_reason"],
  ...["prompt_tokens", "completion_tokens", "cached_tokens", "images", "pixels", "usage_source"],
  ...["queue_ms", "first_token_ms", "total_ms", "dropped_params", "cost_usd", "provider_cost_usd"],
  ...["attempts", "resumed", "calls"],
] as const satisfies readonly (keyof CallItem)[];

/**
 * What a spreadsheet takes for a formula, wherever it begins; what a stranger put into a title must not
 * be run by who opens the file. Such a cell begins with an apostrophe instead (OWASP, CSV injection).
 */
const FORMULA = /^[\s"']*[=+\-@\uff0b\uff0d\uff1d\uff20]|^[\t\r\n]/;
const QUOTED = /[",\r\n]/;

export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvLine(call: CallItem): string {
  return `${CSV_COLUMNS.map((column) => csvCell(call[column])).join(",")}\r\n`;
}

export type ExportFormat = "csv" | "ndjson";

/** How each format is written. */
export const FORMATS: Readonly<
  Record<ExportFormat, { type: string; head: string; line: (call: CallItem) => string }>
> = {
  csv: { type: "text/csv; charset=utf-8", head: `${CSV_COLUMNS.join(",")}\r\n`, line: csvLine },
  ndjson: {
    type: "application/x-ndjson; charset=utf-8",
    head: "",
    line: (call) => `${JSON.stringify(call)}\n`,
  },
};

/**
 * A file made of pages: the next one is asked for when the reader has taken the one before, so that
 * neither side holds more than one. A page that can't be read breaks the connection off: a file that
 * ended as if it were whole would be taken for whole.
 */
export function exportStream(
  format: ExportFormat,
  pages: AsyncIterator<readonly CallItem[]>,
): ReadableStream<Uint8Array> {
  const { head, line } = FORMATS[format];
  const encoder = new TextEncoder();
  let begun = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!begun && head !== "") controller.enqueue(encoder.encode(head));
        begun = true;
        for (;;) {
          const step = await pages.next();
          if (step.done === true) {
            controller.close();
            return;
          }
          if (step.value.length === 0) continue;
          controller.enqueue(encoder.encode(step.value.map(line).join("")));
          return;
        }
      },
      async cancel() {
        await pages.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
