import {
  keysOfLostPlans,
  lostPlansCounted,
  lostPlansNamed,
  type PlannedKey,
} from "../gateway/limits/lost-plans.ts";
import type { Plans } from "../gateway/limits/plans.ts";
import type { Log } from "../lib/log.ts";

/**
 * Says which keys the config has no plan for: once each time that this becomes another set of keys, and
 * to whoever asks.
 */
export class PlanWatch {
  readonly #keys: () => Iterable<PlannedKey>;
  readonly #plans: () => Plans;
  readonly #log: Pick<Log, "warn" | "info">;
  #lost: readonly PlannedKey[] = [];

  constructor(
    keys: () => Iterable<PlannedKey>,
    plans: () => Plans,
    log: Pick<Log, "warn" | "info">,
  ) {
    this.#keys = keys;
    this.#plans = plans;
    this.#log = log;
  }

  /** For `/health/ready`, which not only operators read; null when all is well. */
  get detail(): string | null {
    return lostPlansCounted(this.#lost);
  }

  /** Other plans are in use. Gives the warnings instead of logging them: a reload tells all of its own. */
  plansChanged(): string[] {
    this.#look();
    const named = lostPlansNamed(this.#lost);
    return named === null ? [] : [named];
  }

  /** Other keys are there. */
  keysChanged(): void {
    const before = lostPlansNamed(this.#lost);
    this.#look();
    const now = lostPlansNamed(this.#lost);
    if (now === before) return;
    if (now === null) this.#log.info("every key's plan is in the config again");
    else this.#log.warn(now);
  }

  #look(): void {
    const plans = new Set(this.#plans().named.keys());
    this.#lost = keysOfLostPlans(plans, this.#keys(), Date.now());
  }
}
