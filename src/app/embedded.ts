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
  type Need,
  requiredBy,
  type WeightPaths,
} from "../engines/index.ts";
import type { ImageSource } from "../images/source.ts";
import { lacking } from "../lib/engine-installed.ts";
import type { Log } from "../lib/log.ts";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";
import { engineConfigOf } from "./engine-config.ts";
import type { Needs } from "./needs.ts";

/** What holds of an embedded model as a target, unless its file says otherwise; `need` as far as it is known. */
export function localFacts({ file }: Model, need: Need | null): LocalFacts {
  const { parameters = [], continuation } = kindOf(file);
  const contextLength = need?.contextSize ?? null;
  const { max_output: most } = file;
  return {
    ...{ price: FREE, parameters },
    ...(continuation === undefined ? {} : { continuation }),
    ...(contextLength === null ? {} : { contextLength }),
    ...(contextLength === null || most === undefined
      ? {}
      : { maxOutput: Math.min(most, contextLength) }),
  };
}

/** The engines of this machine. A model whose weights are not here, or too big, or without an engine, is not one that can answer. */
export function embedded(
  models: readonly Model[],
  config: Config,
  availability: Availability,
  needs: Needs,
  images: ImageSource,
  log: Log,
): LocalBackend {
  const local = createLocalBackend({
    models,
    prepare: (model) => weightsOf(model, config.home),
    config: engineConfigOf(config),
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
  const tooBigOf = (id: string): string | null => needs.of({ id })?.tooBig ?? null;
  return {
    ...local,
    snapshot: () =>
      local
        .snapshot()
        .map((each) => (tooBigOf(each.model) === null ? each : { ...each, state: "too_big" })),
    state: (target) => {
      const lack = lackOf(target.model);
      if (lack !== null) return { state: "unavailable", detail: lack };
      const { state, reason } = availability.of(target.model);
      if (state === "missing")
        return { state: "unavailable", detail: reason ?? "its weights are not here" };
      const tooBig = tooBigOf(target.model.id);
      return tooBig === null ? local.state(target) : { state: "too_big", detail: tooBig };
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
