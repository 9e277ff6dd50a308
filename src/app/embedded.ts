import type { Availability } from "../catalog/availability.ts";
import type { LocalFacts } from "../catalog/merge.ts";
import { FREE } from "../catalog/target.ts";
import { prepareFiles } from "../catalog/weights.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../contract/errors.ts";
import {
  createLocalBackend,
  kindOf,
  type LocalBackend,
  requiredBy,
  type WeightPaths,
} from "../engines/index.ts";
import type { ImageSource } from "../images/source.ts";
import { lacking } from "../lib/engine-installed.ts";
import type { Log } from "../lib/log.ts";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";

/** What holds of an embedded model as a target, unless its file says otherwise. */
export function localFacts({ file }: Model): LocalFacts {
  const { parameters = [], continuation } = kindOf(file);
  return { price: FREE, parameters, ...(continuation === undefined ? {} : { continuation }) };
}

/** The engines of this machine. A model whose weights are not here, or without an engine, is not one that can answer. */
export function embedded(
  models: readonly Model[],
  config: Config,
  availability: Availability,
  images: ImageSource,
  log: Log,
): LocalBackend {
  const { keepAlive: keepAliveMs, loadTimeout: loadTimeoutMs, ...engine } = config.engine;
  const local = createLocalBackend({
    models,
    prepare: (model) => weightsOf(model, config.home),
    config: { ...engine, keepAliveMs, loadTimeoutMs, imagePixels: config.images.maxPixels },
    images,
    log,
  });
  // Packages come and go by an installation, which a running server does not see anyhow.
  const lacks = new WeakMap<Model, string | null>();
  const lackOf = (model: Model): string | null => {
    const known = lacks.get(model);
    if (known !== undefined) return known;
    const lack = lacking(requiredBy(model.file));
    lacks.set(model, lack);
    return lack;
  };
  return {
    ...local,
    state: (target) => {
      const lack = lackOf(target.model);
      if (lack !== null) return { state: "unavailable", detail: lack };
      const { state, reason } = availability.of(target.model);
      return state === "missing"
        ? { state: "unavailable", detail: reason ?? "its weights are not here" }
        : local.state(target);
    },
  };
}

async function weightsOf(model: Model, home: string): Promise<WeightPaths> {
  try {
    return await prepareFiles(model, { home });
  } catch (error) {
    if (error instanceof UserError) {
      throw new GatewayError("unavailable", error.message, { retryAfter: 30, cause: error });
    }
    throw error;
  }
}
