import { z } from "zod";

/** The process answers. Says nothing about models or the store. `timestamp` is ISO 8601, UTC. */
export const Health = z.looseObject({ status: z.literal("ok"), timestamp: z.iso.datetime() });
export type Health = z.infer<typeof Health>;

/** Whether requests can be served: 200 with `ok`, or 503 with `unavailable` and the parts that are not ready. */
export const Readiness = z.looseObject({
  status: z.enum(["ok", "unavailable"]),
  timestamp: z.iso.datetime(),
  models: z.array(
    z.looseObject({
      id: z.string(),
      state: z.enum(["ready", "loading", "loadable", "crashed", "too_big", "unavailable"]),
      detail: z.string().nullable(),
    }),
  ),
  /** How many models each provider lists; null where its list is not fetched. `detail`: why it could not be. */
  providers: z.array(
    z.looseObject({
      id: z.string(),
      models: z.int().min(0).nullable(),
      detail: z.string().nullable(),
    }),
  ),
  /** Whether changes of API keys are seen. While they are not, the last known keys go on. */
  keys: z.looseObject({ ok: z.boolean(), detail: z.string().nullable() }),
  /** How limits are kept: in this process, in Redis, as this gateway's share, or nothing is admitted yet. Callers without limits don't notice. */
  limits: z.looseObject({
    ok: z.boolean(),
    mode: z.enum(["memory", "shared", "waiting", "share"]),
    detail: z.string().nullable(),
    leases: z.int().min(0),
    lost_leases: z.int().min(0),
  }),
  store: z.looseObject({
    ok: z.boolean(),
    detail: z.string().nullable(),
    lag_bytes: z.int().min(0),
  }),
});
export type Readiness = z.infer<typeof Readiness>;
