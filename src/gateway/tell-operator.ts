import type { Log } from "../lib/log.ts";
import type { HealthChange } from "./routing/health.ts";

/** A key of a provider that was refused, by its place among the provider's keys. */
interface KeyRest {
  readonly provider: string;
  readonly key: number;
  readonly keys: number;
  readonly model: string;
  readonly why: string;
  readonly ms: number;
}

const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** Says once, when it happens, that a target is left alone or is back. */
export function tellHealth(log: Log): (target: string, change: HealthChange) => void {
  return (target, change) => {
    switch (change.kind) {
      case "opened":
        log.warn("a target failed several times in a row and is left alone", {
          target,
          seconds: seconds(change.ms),
        });
        break;
      case "closed":
        log.info("a target answers again", { target });
        break;
      case "rests":
        log.warn("a target asked to be left alone", { target, seconds: seconds(change.ms) });
    }
  };
}

/** Says that a key was refused and is not used for a while. Never the key itself. */
export function tellKeyRest(log: Log): (rest: KeyRest) => void {
  return ({ provider, key, keys, model, why, ms }) =>
    log.warn("a provider refused a key, which rests", {
      provider,
      key: `${key} of ${keys}`,
      model,
      why,
      seconds: seconds(ms),
    });
}
