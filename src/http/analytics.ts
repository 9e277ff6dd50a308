import {
  ANALYTICS,
  type CallDetail,
  type CallItem,
  type CallList,
  CallsQuery,
  type Cursor,
  cursorText,
  type Errors,
  ExportQuery,
  type PayloadStatus,
  type Series,
  SeriesQuery,
  type Top,
  TopQuery,
  type Totals,
  TotalsQuery,
} from "../contract/analytics.ts";
import { GatewayError } from "../contract/errors.ts";
import { parseQuery } from "../contract/validate.ts";
import { authenticateAdmin } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { callItem, type KeyName, type LogRow } from "./call-item.ts";
import { exportStream, FORMATS } from "./export-calls.ts";
import { byKeyId, type NamedKey } from "./key-filter.ts";

export interface CallPage {
  readonly rows: LogRow[];
  /** Where the next page begins; null at the end. */
  readonly next: Cursor | null;
}

/** What these endpoints read; the composition root hands it in. */
export interface AnalyticsLog {
  totals(query: TotalsQuery): Promise<Totals>;
  series(query: SeriesQuery): Promise<Series>;
  top(query: TopQuery): Promise<Top>;
  errors(query: TotalsQuery): Promise<Errors>;
  calls(query: CallsQuery): Promise<CallPage>;
  call(id: string): Promise<LogRow | null>;
}

/** What is read of payloads. */
export interface PayloadLog {
  read(id: string): Promise<CallDetail["payload"]>;
  image(hash: string): Promise<{ file: string; type: string } | null>;
  state(): {
    readonly kept: number;
    readonly dropped: number;
    readonly failed: number;
    readonly lastFailure: string | null;
    readonly pendingBytes: number;
    readonly bytes: number;
    readonly imageBytes: number;
  };
}

export interface AnalyticsSide {
  readonly log: AnalyticsLog;
  readonly payloads: PayloadLog;
  readonly keyName: KeyName;
  /** Every key that is known. */
  readonly keys: () => Iterable<NamedKey>;
}

/** Calls that one page of an export holds. */
const EXPORT_PAGE = 1000;
const CALL_ID = /^[\w-]{1,128}$/;
/** Figures and calls are nobody else's; no cache on the way may keep them. */
const PRIVATE = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

type Act = (request: Request, query: URLSearchParams) => Promise<Response>;
type Mount = (path: string, handler: (request: Request) => Promise<Response>) => void;

/**
 * The call log, for whoever holds an admin key. Every one of them
 * @throws GatewayError 400, 401, 403, 404, 503
 */
export function mountAnalytics(get: Mount, gateway: Gateway, side: AnalyticsSide): void {
  const { log, payloads, keyName, keys } = side;
  const asked = <Q extends { readonly key?: string[] | undefined }>(query: Q): Q =>
    byKeyId(query, keys);
  const mount = (path: string, act: Act): void =>
    get(path.replaceAll(/\{(\w+)\}/g, ":$1"), async (request) => {
      authenticateAdmin(request.headers, gateway.auth);
      return await act(request, new URL(request.url).searchParams);
    });
  const json = (body: object): Response => Response.json(body, { headers: PRIVATE });

  mount(ANALYTICS.totals.path, async (_, query) =>
    json(await log.totals(asked(parseQuery(TotalsQuery, query)))),
  );
  mount(ANALYTICS.series.path, async (_, query) =>
    json(named(await log.series(asked(parseQuery(SeriesQuery, query))), keyName)),
  );
  mount(ANALYTICS.top.path, async (_, query) =>
    json(named(await log.top(asked(parseQuery(TopQuery, query))), keyName)),
  );
  mount(ANALYTICS.errors.path, async (_, query) =>
    json(await log.errors(asked(parseQuery(TotalsQuery, query)))),
  );
  mount(ANALYTICS.calls.path, async (_, query) => {
    const { rows, next } = await log.calls(asked(parseQuery(CallsQuery, query)));
    const body: CallList = {
      object: "list",
      data: rows.map((row) => callItem(row, keyName)),
      has_more: next !== null,
      next: next === null ? null : cursorText(next),
    };
    return json(body);
  });
  mount(ANALYTICS.export.path, async (_, query) => {
    const { format = "csv", ...filters } = asked(parseQuery(ExportQuery, query));
    // The first page at once: a log that can't be read is a real 503, not half a file.
    const first = await log.calls({ ...filters, limit: EXPORT_PAGE });
    const pages = pagesOf(log, filters, first, keyName);
    const name = `covey-calls-${new Date().toISOString().slice(0, 10)}.${format}`;
    return new Response(exportStream(format, pages), {
      headers: {
        ...PRIVATE,
        "content-type": FORMATS[format].type,
        "content-disposition": `attachment; filename="${name}"`,
      },
    });
  });
  mount(ANALYTICS.call.path, async (request) => {
    const id = lastPart(request);
    const row = CALL_ID.test(id) ? await log.call(id) : null;
    if (row === null) throw none("call", id);
    const payload = await payloads.read(id).catch(unreadable);
    const body: CallDetail = { ...callItem(row, keyName), payload };
    return json(body);
  });
  mount(ANALYTICS.payloads.path, async () => {
    const { lastFailure, pendingBytes, imageBytes, ...counts } = payloads.state();
    const body: PayloadStatus = {
      object: "payloads",
      ...counts,
      last_failure: lastFailure,
      pending_bytes: pendingBytes,
      image_bytes: imageBytes,
    };
    return json(body);
  });
  mount(ANALYTICS.image.path, async (request) => {
    const hash = lastPart(request);
    const image = await payloads.image(hash).catch(unreadable);
    if (image === null || !(await Bun.file(image.file).exists())) throw none("image", hash);
    // What a stranger sent: shown as the image it is, and as nothing else.
    const headers = {
      ...PRIVATE,
      "content-type": image.type,
      "content-security-policy": "sandbox",
    };
    return new Response(Bun.file(image.file), { headers });
  });
}

/** The pages of an export, each asked for when the one before it was taken. */
async function* pagesOf(
  log: AnalyticsLog,
  filters: CallsQuery,
  first: CallPage,
  keyName: KeyName,
): AsyncGenerator<CallItem[]> {
  let page = first;
  for (;;) {
    yield page.rows.map((row) => callItem(row, keyName));
    if (page.next === null) return;
    page = await log.calls({ ...filters, limit: EXPORT_PAGE, after: page.next });
  }
}

/** With what keys are called, where the groups are keys. */
function named<L extends Series | Top>(list: L, keyName: KeyName): L {
  if (list.by === "key") {
    for (const each of list.data) each.name = keyName(each.group ?? "");
  }
  return list;
}

function lastPart(request: Request): string {
  const { pathname } = new URL(request.url);
  const part = pathname.slice(pathname.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new GatewayError("invalid_request", "The path is not valid percent-encoding.", {
      cause: error,
    });
  }
}

function none(what: string, id: string): GatewayError {
  const shown = id.slice(0, 64).replaceAll(/[^\w.-]/g, "?");
  return new GatewayError("not_found", `There is no ${what} '${shown}'.`);
}

function unreadable(cause: unknown): never {
  throw new GatewayError("unavailable", "Payloads can't be read just now.", {
    retryAfter: 5,
    cause,
  });
}
