import { z } from "zod";
import type { Contract } from "./operations.ts";

/** The admin API of the call log: what calls add up to, and the calls themselves. */

/** What figures can be grouped by and filtered on, as the API names it. */
export const GROUPS = ["key", "model", "provider", "endpoint", "status", "error"] as const;
export type Group = (typeof GROUPS)[number];

export const CALL_STATUSES = [
  "running",
  "completed",
  "failed",
  "cancelled",
  "interrupted",
  "refused",
] as const;

const MOST_NAMES = 20;
/** Line ends and NUL have no place in a name, and databases differ in what they make of them. */
const PLAIN = /^[^\p{Cc}\p{Cs}]*$/u;
const name = z.string().max(512).regex(PLAIN, "must not have control characters");

const flag = z.enum(["true", "false"]).transform((text) => text === "true");

/** Names by commas: any of them. */
const names = name
  .transform((text) => partsOf(text))
  .pipe(z.array(z.string()).max(MOST_NAMES, `names at most ${MOST_NAMES}`));
const partsOf = (text: string): string[] => text.split(",").map((part) => part.trim());
const isStatus = (text: string): boolean => CALL_STATUSES.some((status) => status === text);
const statuses = z
  .string()
  .refine((text) => partsOf(text).every(isStatus), {
    error: `Invalid value for 'status'. Supported values are: ${CALL_STATUSES.map((status) => `'${status}'`).join(", ")}; several with commas between them.`,
  })
  .transform((text) => CALL_STATUSES.filter((status) => partsOf(text).includes(status)));
const time = z.iso
  .datetime({ offset: true, error: "must be a time such as 2026-11-20T08:00:00Z" })
  .transform((text) => Date.parse(text));
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const filters = {
  key: names
    .describe(
      "Ids, prefixes or names of keys, by commas; `anonymous` and `admin` are two callers without one.",
    )
    .optional(),
  model: names.describe("Ids of models, by commas.").optional(),
  provider: names.describe("Ids of providers, by commas.").optional(),
  endpoint: names.describe("Paths, such as `/v1/chat/completions`, by commas.").optional(),
  status: statuses.describe("How the calls ended, by commas.").optional(),
  error: names.describe("Names of errors, by commas.").optional(),
};

const range = {
  from: time.describe("The first moment; default 24 hours before `to`.").optional(),
  to: time.describe("The first moment after; default now.").optional(),
};

export const TotalsQuery = z.strictObject({ ...range, ...filters });
export type TotalsQuery = z.infer<typeof TotalsQuery>;

export const SeriesQuery = z.strictObject({
  ...range,
  ...filters,
  span: z
    .enum(["minute", "hour", "day"])
    .describe("Default: minutes up to 3 hours, hours up to 4 days, else days.")
    .optional(),
  by: z.enum(GROUPS).describe("A line for each of these.").optional(),
  latency: flag.describe("Default true, and false with `by`.").optional(),
});
export type SeriesQuery = z.infer<typeof SeriesQuery>;

export const TopQuery = z.strictObject({
  ...range,
  ...filters,
  by: z.enum(GROUPS).describe("Default model.").optional(),
  sort: z.enum(["calls", "tokens", "cost", "failed"]).describe("Default calls.").optional(),
  limit: whole(1, 200).describe("Default 20.").optional(),
  latency: flag.describe("Default false: percentiles of many groups take their time.").optional(),
});
export type TopQuery = z.infer<typeof TopQuery>;

const callFilters = {
  ...range,
  from: time.describe("The first moment; default the beginning of the log.").optional(),
  ...filters,
  request_id: name.describe("The caller's own `x-request-id`.").optional(),
  resumed: flag.describe("Whether another target went on with the answer.").optional(),
  min_cost: z.coerce.number().min(0).max(1e6).describe("US dollars.").optional(),
  min_total_ms: z.coerce.number().min(0).max(1e12).describe("Milliseconds in all.").optional(),
  min_first_token_ms: z.coerce
    .number()
    .min(0)
    .max(1e12)
    .describe("Milliseconds to the first token.")
    .optional(),
};

/** Where a page ended: the time and the id of its last call. */
const cursor = z
  .string()
  .regex(/^\d{1,15}_[\w-]{0,100}$/, "must be `next` of the page before")
  .transform((text) => {
    const at = text.indexOf("_");
    return { startedAt: Number(text.slice(0, at)), id: text.slice(at + 1) };
  });
export type Cursor = z.infer<typeof cursor>;

export function cursorText({ startedAt, id }: Cursor): string {
  return `${startedAt}_${id}`;
}

export const CallsQuery = z.strictObject({
  ...callFilters,
  limit: whole(1, 1000).describe("Default 100.").optional(),
  after: cursor.describe("`next` of the page before.").optional(),
});
export type CallsQuery = z.infer<typeof CallsQuery>;

export const ExportQuery = z.strictObject({
  ...callFilters,
  format: z.enum(["csv", "ndjson"]).describe("Default csv.").optional(),
});
export type ExportQuery = z.infer<typeof ExportQuery>;

const count = z.number().min(0);
const ms = z.number().min(0).nullable().describe("Milliseconds.");

/** What a histogram tells: percentiles are wrong by less than a bucket's width, a factor of 1.6. */
export const Latency = z.object({
  count: count.describe("Calls whose time is known."),
  mean: ms,
  p50: ms,
  p90: ms,
  p95: ms,
  p99: ms,
});
export type Latency = z.infer<typeof Latency>;

export const Figures = z.object({
  calls: count,
  failed: count.describe("Of them, how many failed, were interrupted or refused."),
  attempts: count,
  prompt_tokens: count,
  completion_tokens: count,
  cached_tokens: count,
  cost_usd: count.describe("Of those whose price is known."),
  first_token: Latency.nullable().describe("Null where it was not asked for."),
  total: Latency.nullable(),
  queue: Latency.nullable().describe("In totals only."),
});
export type Figures = z.infer<typeof Figures>;

const keyName = z.string().nullable().describe("What the key is called, where the group is a key.");
const moments = { from: z.iso.datetime(), to: z.iso.datetime() };

export const Totals = z.object({
  object: z.literal("totals"),
  ...moments,
  ...Figures.shape,
});
export type Totals = z.infer<typeof Totals>;

export const Series = z.object({
  object: z.literal("list"),
  ...moments,
  span: z.enum(["minute", "hour", "day"]),
  by: z.enum(GROUPS).nullable(),
  truncated: z.boolean().describe("Whether there are more points than one answer has."),
  data: z.array(
    z.object({
      at: z.iso.datetime().describe("The beginning of the span. Spans without calls are left out."),
      group: z.string().nullable().describe("Which of `by`; an empty one is none."),
      name: keyName,
      ...Figures.shape,
    }),
  ),
});
export type Series = z.infer<typeof Series>;

export const Top = z.object({
  object: z.literal("list"),
  ...moments,
  by: z.enum(GROUPS),
  data: z.array(z.object({ group: z.string(), name: keyName, ...Figures.shape })),
});
export type Top = z.infer<typeof Top>;

export const Errors = z.object({
  object: z.literal("list"),
  ...moments,
  data: z.array(z.object({ error: z.string(), status: z.string(), calls: count })),
});
export type Errors = z.infer<typeof Errors>;

const Attempt = z.object({
  provider: z.string(),
  upstream_id: z.string(),
  model: z.string(),
  start_ms: z.number(),
  took_ms: z.number(),
  error: z.string().nullable(),
  how: z.string(),
  completion_tokens: z.number(),
  malformed_events: z.number(),
});

const text = z.string().nullable();

/** One call of the log. */
export const CallItem = z.object({
  object: z.literal("call"),
  id: z.string(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
  endpoint: z.string(),
  model: z.string(),
  provider: text,
  key: z.string().describe("Id of the key, `anonymous` or `admin`."),
  key_name: text.describe("What it is called now."),
  stream: z.boolean(),
  request_id: text,
  referer: text,
  title: text,
  status: z.enum(CALL_STATUSES),
  http_status: z.number().nullable(),
  error: text,
  finish_reason: text,
  prompt_tokens: count,
  completion_tokens: count,
  cached_tokens: count,
  images: count.describe("Images that it was answered with, or that were read for it."),
  pixels: count.describe("Of those images."),
  usage_source: z.string(),
  queue_ms: ms,
  first_token_ms: ms,
  total_ms: ms,
  dropped_params: z.array(z.string()),
  cost_usd: z.number().nullable(),
  provider_cost_usd: z.number().nullable(),
  attempts: z.array(Attempt),
  resumed: count,
  calls: count.describe("How many calls it stands for: more than one only for refused ones."),
});
export type CallItem = z.infer<typeof CallItem>;

export const CallList = z.object({
  object: z.literal("list"),
  data: z.array(CallItem),
  has_more: z.boolean(),
  next: z
    .string()
    .nullable()
    .describe("Goes on from here. A page may be short, even empty, and still have more."),
});
export type CallList = z.infer<typeof CallList>;

/** What was kept of what a call asked and was answered. */
export const Payload = z.object({
  request: z.record(z.string(), z.unknown()),
  answer: z.record(z.string(), z.unknown()).nullable(),
  truncated: z.boolean(),
});

export const CallDetail = z.object({ ...CallItem.shape, payload: Payload.nullable() });
export type CallDetail = z.infer<typeof CallDetail>;

export const PayloadStatus = z.object({
  object: z.literal("payloads"),
  kept: count,
  dropped: count,
  failed: count,
  last_failure: text,
  pending_bytes: count,
  bytes: count,
  image_bytes: count,
});
export type PayloadStatus = z.infer<typeof PayloadStatus>;

const read = <const C extends Pick<Contract, "operation" | "path" | "summary" | "response">>(
  value: C & { readonly query?: z.ZodObject },
) => ({
  ...value,
  method: "GET" as const,
  request: null,
  auth: "admin" as const,
  meter: "none" as const,
});

export const ANALYTICS = {
  totals: read({
    operation: "admin_totals",
    path: "/admin/v1/analytics/totals",
    query: TotalsQuery,
    response: Totals,
    summary: "What the calls of a time add up to: tokens, cost, latency.",
  }),
  series: read({
    operation: "admin_series",
    path: "/admin/v1/analytics/series",
    query: SeriesQuery,
    response: Series,
    summary: "The same minute by minute, by hours or by days.",
  }),
  top: read({
    operation: "admin_top",
    path: "/admin/v1/analytics/top",
    query: TopQuery,
    response: Top,
    summary: "The models, keys, providers, … with the most calls, tokens, cost or failures.",
  }),
  errors: read({
    operation: "admin_errors",
    path: "/admin/v1/analytics/errors",
    query: TotalsQuery,
    response: Errors,
    summary: "How many calls ended in which error.",
  }),
  calls: read({
    operation: "admin_calls",
    path: "/admin/v1/calls",
    query: CallsQuery,
    response: CallList,
    summary: "List calls, newest first.",
  }),
  call: read({
    operation: "admin_call",
    path: "/admin/v1/calls/{id}",
    response: CallDetail,
    summary: "One call with its attempts and, where it was kept, its payload.",
  }),
  export: read({
    operation: "admin_export",
    path: "/admin/v1/export/calls",
    query: ExportQuery,
    response: z.string().describe("CSV with a header line, or a JSON object a line."),
    summary: "The calls as a file, streamed.",
  }),
  payloads: read({
    operation: "admin_payloads",
    path: "/admin/v1/payloads",
    response: PayloadStatus,
    summary: "How many payloads were kept and dropped, and what they take.",
  }),
  image: read({
    operation: "admin_payload_image",
    path: "/admin/v1/payloads/images/{hash}",
    response: z.string().describe("The image."),
    summary: "An image of a payload, by its SHA-256.",
  }),
};
