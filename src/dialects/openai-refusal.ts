import { GatewayError } from "../contract/errors.ts";
import { withoutKeys } from "../lib/redact.ts";
import type { ProviderSettings } from "../types.ts";

const MAX_ERROR_TEXT = 300;

/**
 * An upstream's refusal in our words. What the caller did wrong stays the caller's (400, 413, 422),
 * with the field it names; a key or a quota that is ours is the operator's problem and becomes 502.
 */
export async function refusal(
  provider: ProviderSettings,
  response: Response,
): Promise<GatewayError> {
  const { status } = response;
  const { message, param } = await whatItSaid(provider, response);
  const said = `'${provider.id}' answered ${status}${message === "" ? "" : `: ${message}`}`;
  switch (status) {
    case 400:
    case 422:
      return new GatewayError("invalid_request", said, { param });
    case 401:
    case 402:
    case 403:
      return new GatewayError("upstream_error", `'${provider.id}' refused the gateway's own key.`);
    case 413:
      return new GatewayError("body_too_large", said);
    case 429:
      return new GatewayError("overloaded", said, { retryAfter: retryAfter(response, 1) });
    case 503:
      return new GatewayError("overloaded", said, { retryAfter: retryAfter(response, 5) });
    case 504:
      return new GatewayError("upstream_timeout", said);
    default:
      return new GatewayError("upstream_error", said);
  }
}

/** Seconds that the upstream asks to wait, as a number or a date; without them, `otherwise`. */
function retryAfter(response: Response, otherwise: number): number {
  const value = response.headers.get("retry-after") ?? "";
  const seconds = /^\d+(\.\d+)?$/.test(value)
    ? Number(value)
    : (Date.parse(value) - Date.now()) / 1000;
  return seconds > 0 ? seconds : otherwise;
}

interface Said {
  readonly message: string;
  readonly param: string | null;
}

/** Its own words, without any key that it repeats. */
async function whatItSaid(provider: ProviderSettings, response: Response): Promise<Said> {
  let text: string;
  try {
    text = await response.text();
  } catch {
    return { message: "", param: null };
  }
  const { message, param } = parse(text);
  return { message: withoutKeys(message, provider.keys).slice(0, MAX_ERROR_TEXT), param };
}

function parse(text: string): Said {
  try {
    return saidIn(JSON.parse(text)) ?? { message: text, param: null };
  } catch {
    return { message: text, param: null };
  }
}

/** `{"error":{"message"}}`, `{"error":"…"}`, `{"message"}`: servers differ. */
function saidIn(body: unknown): Said | null {
  if (typeof body !== "object" || body === null) return null;
  if ("message" in body && typeof body.message === "string") {
    const param = "param" in body && typeof body.param === "string" ? body.param : null;
    return { message: body.message, param: param?.slice(0, 100) ?? null };
  }
  if (!("error" in body)) return null;
  return typeof body.error === "string" ? { message: body.error, param: null } : saidIn(body.error);
}
