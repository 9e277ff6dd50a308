import { GatewayError } from "../contract/errors.ts";
import { type ModelList, ModelsQuery } from "../contract/models.ts";
import { parseQuery } from "../contract/validate.ts";
import { authenticate } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { itemOf } from "../gateway/listing/describe-model.ts";
import { knownItems, pageOfModels, servableItems } from "../gateway/listing/list-models.ts";
import { asSeenBy } from "../gateway/listing/own-models.ts";
import { resolve } from "../gateway/resolve.ts";

/** `GET /v1/models`, filtered and paged. @throws GatewayError 400, 401 */
export function listModels(gateway: Gateway, request: Request): Response {
  return Response.json(modelsPage(gateway, request));
}

/** The page of models that a query asks for. @throws GatewayError 400, 401 */
export function modelsPage(gateway: Gateway, request: Request): ModelList {
  const caller = authenticate(request.headers, gateway.auth);
  const { searchParams } = new URL(request.url);
  const query = parseQuery(ModelsQuery, filled(searchParams));
  // As at Featherless: 0 asks for all, those on other plans too.
  const all = query.available_on_current_plan === false;
  const items = all ? knownItems(gateway) : servableItems(gateway);
  return pageOfModels(asSeenBy(gateway, caller, items), query, searchParams);
}

/** Without what is empty, as a form sends a box in which nothing is chosen. */
function filled(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([, value]) => value !== ""));
}

/** `GET /v1/models/{owner}/{name}`, by id or alias. @throws GatewayError 401, 404 */
export function getModel(gateway: Gateway, request: Request): Response {
  const caller = authenticate(request.headers, gateway.auth);
  const { pathname } = new URL(request.url);
  const model = resolve(gateway, decodeModel(pathname.slice("/v1/models/".length)));
  return Response.json(asSeenBy(gateway, caller, [itemOf(gateway, model)])[0]);
}

/** A model's name as it stands in a path. @throws GatewayError 400 */
export function decodeModel(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new GatewayError("invalid_request", "The path is not valid percent-encoding.", {
      param: "model",
      cause: error,
    });
  }
}
