import type { Config } from "../config/schema.ts";
import { redisUrlOf } from "../config/service-urls.ts";
import { type Limiter, MINUTE } from "../gateway/limits/limits.ts";
import { MemoryLimiter } from "../gateway/limits/memory.ts";
import { SharedLimiter } from "../gateway/limits/shared/shared-limiter.ts";
import { spentIn } from "../gateway/limits/spent.ts";
import type { Log } from "../lib/log.ts";
import type { Store } from "../store/index.ts";

/** How long a lease is held without a word of its gateway. Renewed after 5 s, so that four renewals may fail. */
const LEASE_MS = 30_000;
/** After so long a gateway is taken for cut off. */
const QUIET_MS = 3000;
const ANSWER_MS = 1000;

/** Limits in memory, or in Redis where `REDIS_URL` says which. @throws UserError for a URL that is none */
export function limiterOf(config: Config, store: Store, log: Log): Limiter {
  const spent = spentIn(store.calls, store.caughtUp);
  const url = redisUrlOf(config);
  if (url === null) return new MemoryLimiter({ spent });
  return new SharedLimiter({
    url,
    prefix: "covey:limits:",
    gateway: store.home.gateway,
    gateways: config.limits.maxGateways,
    windowMs: MINUTE,
    ttlMs: LEASE_MS,
    quietMs: QUIET_MS,
    shareForMs: config.limits.shareFor,
    timeoutMs: ANSWER_MS,
    spent,
    log,
  });
}
