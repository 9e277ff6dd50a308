import { GatewayError } from "../contract/errors.ts";
import type { Caller, JsonObject, Model } from "../types.ts";
import { type Gateway, isServable, LOCAL, stateOf } from "./gateway.ts";
import { mayAsk } from "./permit.ts";

/** Reads the text in images, and answers nothing else. */
const READER = "covey/ocr";
const NAMED = 3;

/**
 * Refuses images where none of these models takes them, and says what would. What a provider's model can do
 * is only known where somebody told: it is asked.
 * @throws GatewayError 400 with the first image's `param`
 */
export function permitImages(
  gateway: Gateway,
  models: readonly [Model, ...Model[]],
  input: JsonObject,
  caller: Caller,
): void {
  const param = firstImage(input);
  if (param === null || models.some((model) => mayTakeImages(gateway, model))) return;
  // What takes no chats at all says so itself, with its own endpoint.
  if (!models.some(speaks)) return;
  throw new GatewayError(
    "invalid_request",
    `The model '${models[0].id}' takes text only, no images. ${visionAdvice(gateway, caller)}`,
    { param },
  );
}

/** Which models take images here; where there is none, what to configure or install. In whole sentences. */
export function visionAdvice(gateway: Gateway, caller: Caller | null): string {
  const models = seeingModels(gateway, caller);
  return [models, readerAdvice(gateway, caller)].filter((part) => part !== null).join(" ");
}

function seeingModels(gateway: Gateway, caller: Caller | null): string {
  const able = gateway.models
    .models()
    .filter((model) => model.id !== READER && sees(model) && isServable(gateway, model));
  const own = able.filter((model) => caller === null || mayAsk(gateway.plans, caller, model));
  if (own.length > 0) {
    const names = own.slice(0, NAMED).map(({ id }) => `'${id}'`);
    return `Models here that take images: ${names.join(", ")}.`;
  }
  return able.length > 0
    ? "No model that you may use takes images: which you may, your key and your plan say (GET /v1/models?available_on_current_plan=1)."
    : "No model here takes images: configure a provider that has one, such as [providers.openrouter] or a vLLM server of your own (docs/images.md).";
}

/** The path of a chat's first image; null where it has none. */
export function firstImage({ messages }: JsonObject): string | null {
  if (!Array.isArray(messages)) return null;
  for (const [i, message] of messages.entries()) {
    const content: unknown = message?.content;
    const j = Array.isArray(content) ? content.findIndex((part) => part?.type === "image_url") : -1;
    if (j !== -1) return `messages[${i}].content[${j}].image_url.url`;
  }
  return null;
}

function mayTakeImages(gateway: Gateway, model: Model): boolean {
  if (model.file.modalities.input.includes("image")) return true;
  return gateway.models.targets(model).some(({ provider }) => provider !== LOCAL);
}

function speaks({ file }: Model): boolean {
  return file.modalities.output.includes("text") && file.category !== "embeddings";
}

function sees({ file }: Model): boolean {
  return file.modalities.input.includes("image") && file.modalities.output.includes("text");
}

/** What still works for the text in images. */
function readerAdvice(gateway: Gateway, caller: Caller | null): string | null {
  const reader = gateway.models.resolve(READER);
  if (reader === undefined || (caller !== null && !mayAsk(gateway.plans, caller, reader)))
    return null;
  if (isServable(gateway, reader)) return `'${READER}' reads the text in images.`;
  const [target] = gateway.models.targets(reader);
  const lacks = target === undefined ? null : stateOf(gateway, target).detail;
  return `'${READER}', which reads the text in images, ${lacks ?? "can't answer now"}.`;
}
