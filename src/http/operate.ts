import { ADMIN, type ReloadReport } from "../contract/admin.ts";
import { GatewayError } from "../contract/errors.ts";
import { authenticateAdmin } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { UserError } from "../lib/user-error.ts";

/** What operators ask of the process, handed in by the composition root. */
export interface Operating {
  /** Prometheus's text. */
  metrics(): Promise<string>;
  /** Whether anybody may read the metrics. */
  metricsArePublic(): boolean;
  /** Rejects with a `UserError` when the config is bad; nothing was changed then. */
  reload(): Promise<ReloadReport>;
}

const TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** @throws GatewayError 400 for a bad config, 401, 403 */
export function mountOperating(
  get: (path: string, handler: (request: Request) => Promise<Response>) => void,
  post: (path: string, handler: (request: Request) => Promise<Response>) => void,
  gateway: Gateway,
  operating: Operating,
): void {
  get(ADMIN.metrics.path, async (request) => {
    if (!operating.metricsArePublic()) authenticateAdmin(request.headers, gateway.auth);
    return new Response(await operating.metrics(), { headers: { "content-type": TEXT } });
  });
  post(ADMIN.reload.path, async (request) => {
    authenticateAdmin(request.headers, gateway.auth);
    try {
      return Response.json(await operating.reload());
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new GatewayError("invalid_request", `Nothing was changed. ${error.message}`, {
        cause: error,
      });
    }
  });
}
