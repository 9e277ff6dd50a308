import { own } from "../lib/own.ts";
import { withoutKeys } from "../lib/redact.ts";
import { type Fields, fieldsOf } from "./fields.ts";

/** Characters of an upstream's message that are shown. */
const MAX_SHOWN = 300;
/** Of those that are looked at to find out what it is about. */
const MAX_READ = 4000;

/** What an upstream said of an error, in whatever shape. */
export interface Said {
  /** HTTP's, or the one that the error itself names; null when it names none. */
  readonly status: number | null;
  /** Its own words; empty when there are none. */
  readonly message: string;
  /** Its codes and types, in lower case. */
  readonly codes: readonly string[];
  readonly param: string | null;
  /** Everything it said, in lower case, to look for words in. */
  readonly text: string;
  /** OpenRouter's and others' further facts. */
  readonly metadata: Fields | null;
}

/** What the words OpenAI, Anthropic and others use for their errors are as a status. */
const STATUS_OF: Record<string, number> = {
  invalid_request_error: 400,
  badrequesterror: 400,
  context_length_exceeded: 400,
  exceed_context_size_error: 400,
  content_filter: 400,
  authentication_error: 401,
  invalid_api_key: 401,
  insufficient_quota: 402,
  permission_error: 403,
  not_found_error: 404,
  notfounderror: 404,
  model_not_found: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  ratelimiterror: 429,
  timeout_error: 504,
  unavailable_error: 503,
  service_unavailable: 503,
  overloaded_error: 503,
};

/**
 * Reads `{"error":{"message"}}`, `{"error":"…"}`, `{"message"}`, FastAPI's `{"detail"}` and plain
 * text; a web page says nothing.
 */
export function readError(body: unknown, status: number | null): Said {
  const outer = fieldsOf(body);
  const error = fieldsOf(outer?.error) ?? outer;
  const metadata = fieldsOf(error?.metadata);
  const raw = typeof metadata?.raw === "string" ? metadata.raw : "";
  const own = messageOf(body);
  const message = raw !== "" && !own.includes(raw) ? `${own} (${innerMessage(raw)})` : own;
  const inner = fieldsOf(error?.innererror);
  const codes = [error?.code, error?.type, error?.status, inner?.code]
    .filter((code) => typeof code === "string")
    .map((code) => code.toLowerCase());
  const param = typeof error?.param === "string" ? error.param.slice(0, 100) : null;
  return {
    status: status ?? statusIn(error, codes),
    message,
    codes,
    param,
    text: `${own} ${raw}`.slice(0, MAX_READ).toLowerCase(),
    metadata,
  };
}

/** Its words as a caller may see them: without keys, in bounds. */
export function shown(message: string, keys: readonly string[]): string {
  return withoutKeys(message.slice(0, MAX_READ), keys).slice(0, MAX_SHOWN).trim();
}

function messageOf(body: unknown): string {
  if (typeof body === "string") return body.trimStart().startsWith("<") ? "" : body;
  const fields = fieldsOf(body);
  if (fields === null) return "";
  for (const name of ["message", "error", "detail", "msg", "errors"]) {
    const value = fields[name];
    const said = Array.isArray(value) ? value.map(messageOf).join("; ") : messageOf(value);
    if (said !== "") return said;
  }
  return "";
}

/** The message in an error that was passed on as text. */
function innerMessage(raw: string): string {
  try {
    return messageOf(JSON.parse(raw)) || raw;
  } catch {
    return raw;
  }
}

function statusIn(error: Fields | null, codes: readonly string[]): number | null {
  for (const value of [error?.code, error?.status, error?.status_code]) {
    const status = Number(value);
    if (Number.isInteger(status) && status >= 400 && status < 600) return status;
  }
  for (const code of codes) {
    const status = own(STATUS_OF, code);
    if (status !== undefined) return status;
  }
  return null;
}
