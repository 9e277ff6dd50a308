import type { Availability } from "../catalog/availability.ts";
import { FREE } from "../catalog/target.ts";
import { prepareWeights } from "../catalog/weights.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../contract/errors.ts";
import {
  createLocalBackend,
  LOCAL_CONTINUATION,
  LOCAL_PARAMETERS,
  type LocalBackend,
} from "../engines/index.ts";
import { engineInstalled, NO_ENGINE } from "../lib/engine-installed.ts";
import type { Log } from "../lib/log.ts";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";

/** What holds of every embedded model as a target, unless its file says otherwise. */
export const LOCAL_FACTS = {
  price: FREE,
  continuation: LOCAL_CONTINUATION,
  parameters: LOCAL_PARAMETERS,
};

/** The engines of this machine. A model whose weights are not here, or without an engine, is not one that can answer. */
export function embedded(
  models: readonly Model[],
  config: Config,
  availability: Availability,
  log: Log,
): LocalBackend {
  const { keepAlive: keepAliveMs, loadTimeout: loadTimeoutMs, ...engine } = config.engine;
  const local = createLocalBackend({
    models,
    prepare: (model) => weightsOf(model, config.home),
    config: { ...engine, keepAliveMs, loadTimeoutMs },
    log,
  });
  const installed = engineInstalled();
  return {
    ...local,
    state: (target) => {
      if (!installed) return { state: "unavailable", detail: NO_ENGINE };
      const { state, reason } = availability.of(target.model);
      return state === "missing"
        ? { state: "unavailable", detail: reason ?? "its weights are not here" }
        : local.state(target);
    },
  };
}

async function weightsOf(model: Model, home: string): Promise<string> {
  try {
    return await prepareWeights(model, { home });
  } catch (error) {
    if (error instanceof UserError) {
      throw new GatewayError("unavailable", error.message, { retryAfter: 30, cause: error });
    }
    throw error;
  }
}
