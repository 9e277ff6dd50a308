import { GatewayError } from "../contract/errors.ts";
import { OcrRequest, PLAYGROUND, VisionRequest } from "../contract/playground.ts";
import { parseRequest } from "../contract/validate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { ownPlan } from "../gateway/limits/plans.ts";
import { servableItems } from "../gateway/listing/list-models.ts";
import { mayAsk } from "../gateway/permit.ts";
import { visionAdvice } from "../gateway/vision.ts";
import type { Caller, JsonObject } from "../types.ts";
import { modelsPage } from "./models.ts";

/** What is asked of a picture by a caller who only sends it. */
const DESCRIBE = "Describe this image.";
const EXTRACT = "Extract all text from this image. Preserve formatting and line breaks.";
/** Reads pictures by itself: what is said besides them is nothing to it. */
const READER = "covey/ocr";

/** The conversation that a body of one of these paths stands for. @throws GatewayError 400; 403 for a key whose plan is lost */
export const PICTURES: Readonly<
  Record<string, (gateway: Gateway, caller: Caller, body: unknown) => JsonObject>
> = {
  [PLAYGROUND.vision.path]: (gateway, caller, body) => {
    const { model, image, prompt, ...rest } = parseRequest(VisionRequest, body, { lenient: true });
    return { ...rest, ...asked(model ?? seeing(gateway, caller), prompt ?? DESCRIBE, image) };
  },
  [PLAYGROUND.ocr.path]: (gateway, caller, body) => {
    const { model, image, prompt, ...rest } = parseRequest(OcrRequest, body, { lenient: true });
    return { ...rest, ...asked(model ?? reading(gateway, caller), prompt ?? EXTRACT, image) };
  },
};

/** `GET /api/search` and `GET /api/models`. @throws GatewayError 400, 401 */
export function searchModels(gateway: Gateway, request: Request): Response {
  return Response.json({ success: true, ...modelsPage(gateway, request) });
}

function asked(model: string, prompt: string, image: string | readonly string[]): JsonObject {
  const pictures = typeof image === "string" ? [image] : image;
  const content = [
    { type: "text", text: prompt },
    ...pictures.map((picture) => ({ type: "image_url", image_url: { url: urlOf(picture) } })),
  ];
  return { model, messages: [{ role: "user", content }] };
}

/** Base64 alone has no scheme; what kind of picture it is its bytes say. */
function urlOf(picture: string): string {
  const text = picture.trim();
  return /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : `data:image/png;base64,${text}`;
}

/** The first model that sees, where none is named. @throws GatewayError 400; 403 for a key whose plan is lost */
function seeing(gateway: Gateway, caller: Caller): string {
  const model = own(gateway, caller);
  if (model !== null) return model;
  throw new GatewayError("invalid_request", visionAdvice(gateway, caller), {
    param: "model",
    docUrl: "/docs/images",
  });
}

/** What reads text is asked first. Where it is here and not the caller's, and nothing else is, it is what is refused: 403. */
function reading(gateway: Gateway, caller: Caller): string {
  const isHere = servableItems(gateway).some(({ id }) => id === READER);
  if (isHere && isFor(gateway, caller, READER)) return READER;
  return own(gateway, caller) ?? (isHere ? READER : seeing(gateway, caller));
}

/** The first model that sees and that the caller may use. @throws GatewayError 403 for a key whose plan is lost */
function own(gateway: Gateway, caller: Caller): string | null {
  ownPlan(gateway.plans, caller);
  const model = servableItems(gateway).find(
    ({ id, features }) => id !== READER && features.image_input && isFor(gateway, caller, id),
  );
  return model?.id ?? null;
}

function isFor(gateway: Gateway, caller: Caller, id: string): boolean {
  const model = gateway.models.resolve(id);
  return model !== undefined && mayAsk(gateway.plans, caller, model);
}
