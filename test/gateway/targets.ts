import type { ModelFile } from "../../src/catalog/schema.ts";
import { targetOf } from "../../src/catalog/target.ts";
import type { HealthView } from "../../src/gateway/routing/health.ts";
import type { Model, Target } from "../../src/types.ts";

/** Models and targets as a catalog would have made them, with nothing told of them but what a test says. */

const TEXT: ModelFile["modalities"]["input"] = ["text"];

export function modelNamed(id: string, known: Partial<ModelFile> = {}): Model {
  const file: ModelFile = {
    id,
    name: id,
    description: "",
    aliases: [],
    category: "text",
    engine: "llama",
    created: 0,
    owned_by: "tests",
    context_length: 0,
    modalities: { input: TEXT, output: TEXT },
    license: "unknown",
    stop: [],
    features: [],
    tags: [],
    defaults: {},
    weights: { source: "upstream", sha256: null, size: null },
    ...known,
  };
  return { id, aliases: file.aliases, file };
}

/** The provider's target for this model; its id is `<provider>/<model>`. */
export function targetAt(
  provider: string,
  known: Partial<Target> = {},
  model: Model = modelNamed("m"),
): Target {
  return { ...targetOf(model, provider, model.id), ...known };
}

/** A target that nobody has asked yet. */
export const UNASKED: HealthView = {
  breaker: "closed",
  opensAt: 0,
  restsUntil: 0,
  lacksUntil: 0,
  firstTokenMs: null,
  answerMs: null,
  tokensPerSecond: null,
  measuredAt: 0,
  running: 0,
};
