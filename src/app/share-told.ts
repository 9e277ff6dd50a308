import type { LimiterState } from "../gateway/limits/limits.ts";
import type { Log } from "../lib/log.ts";

/** Says once that a gateway without Redis has begun to admit its own share, and once that this is over. */
export function shareTold(log: Pick<Log, "info" | "warn">): (state: LimiterState) => void {
  let share = false;
  return ({ mode, detail }) => {
    if (share === (mode === "share")) return;
    share = mode === "share";
    if (share) log.warn("limits are kept as this gateway's share from now on", { detail });
    else log.info("limits are no longer kept as this gateway's share", { mode, detail });
  };
}
