import { GatewayError } from "../contract/errors.ts";

/**
 * The request under an address that can be parsed, or null. HTTP/1.0 needs no `Host`, and load
 * balancers' simple health checks send none; what is malformed can't be routed.
 */
export function addressed(request: Request): Request | null {
  if (URL.canParse(request.url)) return request;
  if (request.headers.get("host") !== null || request.method !== "GET") return null;
  const path = request.url.startsWith("/") ? request.url : "/";
  return new Request(`http://localhost${path}`, { headers: request.headers });
}

export function malformed(): GatewayError {
  return new GatewayError("invalid_request", "The Host header is missing or malformed.");
}

/** The path of a request, whatever its `Host` says. */
export function pathOf(request: Request): string {
  return URL.parse(request.url)?.pathname ?? "(malformed)";
}
