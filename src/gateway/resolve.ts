import { GatewayError } from "../contract/errors.ts";
import type { Model } from "../types.ts";
import { type Gateway, isServable, stateOf } from "./gateway.ts";

/**
 * The model of that name, or 404. Another model is never put in its place; the message names one
 * that is there.
 */
export function resolve(gateway: Gateway, name: string): Model {
  const model = gateway.models.resolve(name);
  if (model === undefined) throw unknownModel(gateway, name);
  if (isServable(gateway, model)) return model;
  const reasons = gateway.models
    .targets(model)
    .map((target) => stateOf(gateway, target).detail)
    .filter((detail) => detail !== null);
  throw new GatewayError(
    "model_not_found",
    `The model '${model.id}' is known but can't answer here: ${reasons.join("; ") || "it has no provider"}.`,
    { param: "model" },
  );
}

function unknownModel(gateway: Gateway, name: string): GatewayError {
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  const close = gateway.models.nearest(name);
  const nearest = close !== undefined && canAnswer(gateway, close) ? close : undefined;
  const ready = exampleModel(gateway);
  const hints = [
    nearest === undefined ? null : `Did you mean '${nearest}'?`,
    ready === undefined ? null : `'${ready.id}' is ready.`,
    "GET /v1/models lists all.",
  ];
  return new GatewayError(
    "model_not_found",
    `The model '${shown}' does not exist here. ${hints.filter((hint) => hint !== null).join(" ")}`,
    { param: "model" },
  );
}

function canAnswer(gateway: Gateway, name: string): boolean {
  const model = gateway.models.resolve(name);
  return model !== undefined && isServable(gateway, model);
}

/** A model to show people: one that is ready, else one that can be loaded. */
export function exampleModel(gateway: Gateway): Model | undefined {
  const models = gateway.models.models();
  const isReady = (model: Model): boolean =>
    gateway.models.targets(model).some((target) => stateOf(gateway, target).state === "ready");
  return models.find(isReady) ?? models.find((model) => isServable(gateway, model));
}
