import { GatewayError } from "../contract/errors.ts";
import type { Caller, JsonObject, Model, Operation } from "../types.ts";
import { type Gateway, isServable, LOCAL, stateOf } from "./gateway.ts";
import { mayAsk, permitModel } from "./permit.ts";
import { tooBig } from "./too-big.ts";
import { firstImage, visionAdvice } from "./vision.ts";

/**
 * The models of these names: the one that was asked for, then those that its caller would have
 * instead. All of them must exist and be the caller's to use; one that can't answer here is left out,
 * unless it is the last.
 * @param caller null where the models are only described
 * @param input what is asked of them; where it shows an image, a refusal says who takes one
 * @param operation what they are asked for; where there is no such model, a refusal names one that does it
 * @throws GatewayError 403, 404; 503 where all that is wrong is that the model is too big for this machine
 */
export function resolveAll(
  gateway: Gateway,
  names: readonly string[],
  caller: Caller | null,
  input: JsonObject = {},
  operation: Operation = "chat",
): readonly [Model, ...Model[]] {
  const advice = () => (firstImage(input) === null ? null : visionAdvice(gateway, caller));
  const wanted = { caller, operation, advice };
  const all = names.map((name, place) => known(gateway, name, place, wanted));
  if (caller !== null)
    for (const [place, model] of all.entries()) permitModel(caller, model, place);
  // Two names may be one model's, which is asked once.
  const models = [...new Set(all)];
  const [first, ...others] = models.filter((model) => isServable(gateway, model));
  if (first !== undefined) return [first, ...others];
  throw cannotAnswer(gateway, models[0], advice(), caller !== null);
}

/** What a refusal goes by when it names another model. */
interface Wanted {
  readonly caller: Caller | null;
  readonly operation: Operation;
  readonly advice: () => string | null;
}

/** The one model of that name. @throws GatewayError 404 */
export function resolve(gateway: Gateway, name: string): Model {
  return resolveAll(gateway, [name], null)[0];
}

/** The model of that name, or 404. Another model is never put in its place; the message names one that is there. */
function known(gateway: Gateway, name: string, place: number, wanted: Wanted): Model {
  const model = gateway.models.resolve(name);
  if (model !== undefined) return model;
  throw unknownModel(gateway, name, place === 0 ? "model" : "models", wanted);
}

function cannotAnswer(
  gateway: Gateway,
  model: Model | undefined,
  advice: string | null,
  isAsked: boolean,
): GatewayError {
  if (model === undefined) return new GatewayError("model_not_found", "No model was asked for.");
  const states = gateway.models.targets(model).map((target) => stateOf(gateway, target));
  const reasons = states.map(({ detail }) => detail).filter((detail) => detail !== null);
  const why = reasons.join("; ") || "it has no provider";
  if (isAsked && states.some(({ state }) => state === "too_big")) return tooBig(model.id, why);
  return new GatewayError(
    "model_not_found",
    `The model '${model.id}' is known but can't answer here: ${why}.${advice === null ? "" : ` ${advice}`}`,
    { param: "model" },
  );
}

function unknownModel(
  gateway: Gateway,
  name: string,
  param: string,
  { caller, operation, advice }: Wanted,
): GatewayError {
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  const close = gateway.models.nearest(name).filter((id) => canAnswer(gateway, id));
  const ready =
    close.length > 0 || hasProviders(gateway)
      ? undefined
      : exampleModel(gateway, operation, caller);
  const hints = [
    close.length === 0 ? null : `Did you mean ${close.map((id) => `'${id}'`).join(" or ")}?`,
    advice() ?? (ready === undefined ? null : `'${ready.id}' is ready.`),
    "GET /v1/models lists all.",
  ];
  return new GatewayError(
    "model_not_found",
    `The model '${shown}' does not exist here. ${hints.filter((hint) => hint !== null).join(" ")}`,
    { param },
  );
}

function canAnswer(gateway: Gateway, name: string): boolean {
  const model = gateway.models.resolve(name);
  return model !== undefined && isServable(gateway, model);
}

/** Whether anything but this machine answers for models: then an embedded one is no better guess than any other. */
function hasProviders(gateway: Gateway): boolean {
  return gateway.models
    .models()
    .some((model) =>
      gateway.models
        .targets(model)
        .some(
          (target) => target.provider !== LOCAL && stateOf(gateway, target).state !== "unavailable",
        ),
    );
}

const CHATTING: ReadonlySet<string> = new Set(["text", "code", "reasoning", "multimodal"]);

/** Whether a model is one to talk to; one that reads images or makes vectors is not. */
export function chats({ file: { category, engine } }: Model): boolean {
  return engine === "llama" && CHATTING.has(category);
}

function does(model: Model, operation: Operation): boolean {
  if (operation === "embeddings") return model.file.category === "embeddings";
  return operation === "upscale" ? model.file.upscale !== undefined : chats(model);
}

/** A model to show people, of those that the caller may use: one that is ready, else one that can be loaded. */
export function exampleModel(
  gateway: Gateway,
  operation: Operation = "chat",
  caller: Caller | null = null,
): Model | undefined {
  const models = gateway.models
    .models()
    .filter(
      (model) =>
        does(model, operation) && (caller === null || mayAsk(gateway.plans, caller, model)),
    );
  const isReady = (model: Model): boolean =>
    gateway.models.targets(model).some((target) => stateOf(gateway, target).state === "ready");
  return models.find(isReady) ?? models.find((model) => isServable(gateway, model));
}
