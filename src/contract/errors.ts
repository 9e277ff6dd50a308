import { z } from "zod";

/**
 * Every way a request can fail, in one table: the HTTP status, the two words the caller's SDK
 * branches on, and whether trying the same request again can help.
 */
export const ERRORS = {
  invalid_request: { status: 400, type: "invalid_request_error", code: null, retryable: false },
  context_length_exceeded: {
    status: 400,
    type: "invalid_request_error",
    code: "context_length_exceeded",
    retryable: false,
  },
  invalid_api_key: {
    status: 401,
    type: "authentication_error",
    code: "invalid_api_key",
    retryable: false,
  },
  insufficient_quota: {
    status: 402,
    type: "insufficient_quota",
    code: "insufficient_quota",
    retryable: false,
  },
  model_not_allowed: {
    status: 403,
    type: "permission_error",
    code: "model_not_allowed",
    retryable: false,
  },
  endpoint_not_allowed: {
    status: 403,
    type: "permission_error",
    code: "endpoint_not_allowed",
    retryable: false,
  },
  model_not_found: {
    status: 404,
    type: "invalid_request_error",
    code: "model_not_found",
    retryable: false,
  },
  not_found: { status: 404, type: "invalid_request_error", code: "not_found", retryable: false },
  method_not_allowed: {
    status: 405,
    type: "invalid_request_error",
    code: "method_not_allowed",
    retryable: false,
  },
  content_filter: {
    status: 400,
    type: "invalid_request_error",
    code: "content_filter",
    retryable: false,
  },
  body_too_large: { status: 413, type: "invalid_request_error", code: null, retryable: false },
  /** A request to a path that makes images; elsewhere such a one is `invalid_request`. */
  unprocessable: { status: 422, type: "invalid_request_error", code: null, retryable: false },
  unsupported_media_type: {
    status: 415,
    type: "invalid_request_error",
    code: null,
    retryable: false,
  },
  rate_limit_exceeded: {
    status: 429,
    type: "rate_limit_error",
    code: "rate_limit_exceeded",
    retryable: true,
  },
  concurrency_limit_exceeded: {
    status: 429,
    type: "rate_limit_error",
    code: "concurrency_limit_exceeded",
    retryable: true,
  },
  /** The caller left, which is only in the call log, or stopped its own call by another one. */
  client_closed: { status: 499, type: "api_error", code: "client_closed", retryable: false },
  internal: { status: 500, type: "api_error", code: "internal_error", retryable: true },
  upstream_error: { status: 502, type: "api_error", code: "upstream_error", retryable: true },
  upstream_timeout: { status: 504, type: "api_error", code: "upstream_timeout", retryable: true },
  model_loading: { status: 503, type: "api_error", code: "model_loading", retryable: true },
  /** It takes more memory than engines may have here: as things are set, it will never be loaded. */
  model_too_big: { status: 503, type: "api_error", code: "model_too_big", retryable: false },
  overloaded: { status: 503, type: "api_error", code: "overloaded", retryable: true },
  unavailable: { status: 503, type: "api_error", code: "unavailable", retryable: true },
} as const;

export type ErrorName = keyof typeof ERRORS;

/**
 * What a target's failure means for the next attempt:
 * `request`: the request is at fault, and no target of the model would take it;
 * `context`: it is too long for this target, so that only a larger context helps;
 * `key`: the provider's key was refused or rests, another one may be taken at once;
 * `busy`: it is limited or overloaded, and may be asked again after `retryAfter`;
 * `broken`: it failed, and may not the next time;
 * `silent`: it let a time limit pass, and is not asked twice;
 * `failed`: it failed at this request and is well otherwise; it is not asked twice, others may be;
 * `unsupported`: it can't do this, others may.
 */
export type Fault =
  | "request"
  | "context"
  | "key"
  | "busy"
  | "broken"
  | "silent"
  | "failed"
  | "unsupported";

export interface ErrorDetails {
  /** OpenAI's path of the offending field, such as `messages[0].role`. */
  param?: string | null;
  /** Seconds until trying again can help; becomes `Retry-After`, rounded up. */
  retryAfter?: number;
  /** Where the caller can read on or get a key; only on 401 and 402. */
  docUrl?: string;
  /** For failures of a target, where the kind alone does not say it. Never shown. */
  fault?: Fault;
  cause?: unknown;
}

/** The one error class. What reaches a caller is the message, so it must never hold a secret. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly kind: ErrorName;
  readonly param: string | null;
  readonly retryAfter: number | undefined;
  readonly docUrl: string | undefined;
  readonly fault: Fault | undefined;

  constructor(kind: ErrorName, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.param = details.param ?? null;
    this.retryAfter = details.retryAfter;
    this.docUrl = details.docUrl;
    this.fault = details.fault;
  }

  get status(): number {
    return ERRORS[this.kind].status;
  }

  get retryable(): boolean {
    return ERRORS[this.kind].retryable;
  }

  /** `{"error":{message,type,param,code}}`, always the four keys. */
  toBody(): ErrorBody {
    const { type, code } = ERRORS[this.kind];
    const error: ErrorBody["error"] = { message: this.message, type, param: this.param, code };
    if (this.docUrl !== undefined) error.doc_url = this.docUrl;
    return { error };
  }
}

export const ErrorBody = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
    doc_url: z.string().optional(),
  }),
});
export type ErrorBody = z.infer<typeof ErrorBody>;
