/** CORS by an allow-list: same origin needs no header, other origins get one only if they are listed. */

const EXPOSED_HEADERS =
  "x-request-id, x-covey-call-id, x-covey-dropped-params, x-generation-id, retry-after, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests";

/** The answer to a browser's question whether it may send; null if this is none. */
export function preflight(request: Request, origins: ReadonlySet<string>): Response | null {
  if (request.method !== "OPTIONS") return null;
  const origin = request.headers.get("origin");
  if (origin === null || !origins.has(origin)) {
    return new Response(null, { status: 204, headers: { allow: "GET, POST, OPTIONS" } });
  }
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": origin,
      "access-control-allow-methods": "GET, POST, OPTIONS",
      // SDKs add headers of their own (`x-stainless-…`); a listed origin may send what it wants.
      "access-control-allow-headers":
        request.headers.get("access-control-request-headers") ?? "authorization, content-type",
      "access-control-max-age": "600",
      vary: "origin, access-control-request-headers",
    },
  });
}

export function allowOrigin(
  request: Request,
  response: Response,
  origins: ReadonlySet<string>,
): Response {
  const origin = request.headers.get("origin");
  if (origin === null || !origins.has(origin)) return response;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-expose-headers", EXPOSED_HEADERS);
  response.headers.append("vary", "origin");
  return response;
}
