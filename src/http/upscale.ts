import type { ParallelRequests, Progress } from "../contract/upscale.ts";
import { NO_PARALLEL_LIMIT, UPSCALE, UPSCALE_DEFAULTS } from "../contract/upscale.ts";
import { authenticate } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { interruptImages } from "../gateway/interrupt.ts";
import { ownPlan } from "../gateway/limits/plans.ts";
import { listUpscalers, upscaleBody } from "../gateway/listing/upscalers.ts";
import type { Caller, JsonObject } from "../types.ts";

/** What goes down the pipeline for a body of one of these paths. @throws GatewayError 400 404 */
export const ENLARGING: Readonly<
  Record<string, (gateway: Gateway, caller: Caller, body: unknown, headers: Headers) => JsonObject>
> = {
  [UPSCALE.upscale.path]: (gateway, caller, body, headers) =>
    upscaleBody(gateway, caller, headers, UPSCALE.upscale.path, body),
  [UPSCALE.extras.path]: (gateway, caller, body, headers) =>
    upscaleBody(gateway, caller, headers, UPSCALE.extras.path, body),
};

export const UPSCALE_PATHS: readonly string[] = Object.keys(UPSCALE_DEFAULTS);

/** @throws GatewayError 401; 403 for a key whose plan is lost; 503 while the shared limits can't be read */
export function mountUpscale(
  get: (path: string, handler: (request: Request) => Promise<Response>) => void,
  post: (path: string, handler: (request: Request) => Promise<Response>) => void,
  gateway: Gateway,
): void {
  for (const path of [UPSCALE.upscalers.path, ...UPSCALE.upscalers.aliases])
    get(path, async (request) => {
      const caller = authenticate(request.headers, gateway.auth);
      return Response.json(listUpscalers(gateway, caller));
    });
  post(UPSCALE.interrupt.path, async (request) => {
    interruptImages(gateway, authenticate(request.headers, gateway.auth));
    return Response.json({});
  });
  get(UPSCALE.progress.path, async (request) => Response.json(progress(gateway, request)));
  get(UPSCALE.parallel.path, async (request) => Response.json(await parallel(gateway, request)));
}

function progress(gateway: Gateway, request: Request): Progress {
  const { keyId } = authenticate(request.headers, gateway.auth);
  const running = [...gateway.running].filter(
    (call) => call.operation === "upscale" && call.caller.keyId === keyId,
  );
  const [oldest] = running;
  const done = oldest?.attempt?.meter.progress ?? 0;
  const seconds = oldest === undefined ? 0 : (performance.now() - oldest.startedAt) / 1000;
  return {
    progress: done,
    eta_relative: done === 0 ? 0 : Math.round(seconds * (1 / done - 1) * 10) / 10,
    state: {
      job: oldest?.model ?? "",
      job_count: running.length,
      job_timestamp: oldest === undefined ? "0" : timestamp(oldest.at),
      job_no: 0,
      sampling_step: 0,
      sampling_steps: 0,
      skipped: false,
      interrupted: false,
    },
    current_image: null,
    textinfo: oldest === undefined ? null : "upscaling",
  };
}

/** As the web UIs write it, in UTC: `20261120131500`. */
function timestamp(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace(/\D/g, "");
}

async function parallel(gateway: Gateway, request: Request): Promise<ParallelRequests> {
  const caller = authenticate(request.headers, gateway.auth);
  const { limits } = ownPlan(gateway.plans, caller);
  const { images: running, units } = await gateway.limiter.standing(caller.keyId, limits);
  const ofImages = limits.imageParallel || NO_PARALLEL_LIMIT;
  const ofAll = limits.concurrency || NO_PARALLEL_LIMIT;
  const most = Math.min(ofImages, ofAll);
  const left = Math.max(0, Math.min(ofImages - running, ofAll - units));
  return most === NO_PARALLEL_LIMIT
    ? {
        ...{ parallel_requests: most, remaining: most, running },
        message: "There is no limit of parallel requests for images",
      }
    : {
        ...{ parallel_requests: most, remaining: left, running },
        message: `You can run up to ${most} parallel requests`,
      };
}
