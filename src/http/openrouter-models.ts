import type { ModelItem } from "../contract/models.ts";
import {
  type ModelsCount,
  OpenRouterModelsQuery,
  type OpenRouterModelsQuery as Query,
} from "../contract/openrouter.ts";
import { parseQuery } from "../contract/validate.ts";
import { authenticate } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { itemOf } from "../gateway/listing/describe-model.ts";
import { listEndpoints, listProviders } from "../gateway/listing/list-endpoints.ts";
import { pageOfModels, servableItems } from "../gateway/listing/list-models.ts";
import { asSeenBy } from "../gateway/listing/own-models.ts";
import { resolve } from "../gateway/resolve.ts";
import { decodeModel } from "./models.ts";

const ENDPOINTS = "/endpoints";

/**
 * `GET /models`, filtered and paged. @throws GatewayError 400, 401
 * @param own only those that the caller may use
 */
export function listModels(
  gateway: Gateway,
  base: string,
  request: Request,
  own = false,
): Response {
  const { items: all, query, sent } = asked(gateway, request);
  const items = own ? all.filter((item) => item.available_on_current_plan) : all;
  const page = pageOfModels(items, query, sent);
  const next = page.links.next?.replace("/v1/", `${base}/`) ?? null;
  const data = page.data.map((item) => linked(item, base));
  return Response.json({ ...page, data, links: { ...page.links, next } });
}

/** `GET /models/count`, with the list's filters. @throws GatewayError 400, 401 */
export function countModels(gateway: Gateway, request: Request): Response {
  const { items, query, sent } = asked(gateway, request);
  const body: ModelsCount = { data: { count: pageOfModels(items, query, sent).total } };
  return Response.json(body);
}

/**
 * `GET /models/{author}/{slug}/endpoints`; without the end, the model itself as OpenAI's SDKs want it.
 * @throws GatewayError 401, 404
 */
export function getModelOrEndpoints(gateway: Gateway, base: string, request: Request): Response {
  authenticate(request.headers, gateway.auth);
  const name = new URL(request.url).pathname.slice(`${base}/models/`.length);
  if (!name.endsWith(ENDPOINTS)) {
    return Response.json(linked(itemOf(gateway, resolve(gateway, decodeModel(name))), base));
  }
  const model = resolve(gateway, decodeModel(name.slice(0, -ENDPOINTS.length)));
  return Response.json(listEndpoints(gateway, model));
}

/** `GET /model/{author}/{slug}`. @throws GatewayError 401, 404 */
export function getModel(gateway: Gateway, base: string, request: Request): Response {
  authenticate(request.headers, gateway.auth);
  const name = new URL(request.url).pathname.slice(`${base}/model/`.length);
  return Response.json({
    data: linked(itemOf(gateway, resolve(gateway, decodeModel(name))), base),
  });
}

/** `GET /providers`. @throws GatewayError 401 */
export function getProviders(gateway: Gateway, request: Request): Response {
  authenticate(request.headers, gateway.auth);
  return Response.json(listProviders(gateway));
}

interface Asked {
  readonly items: readonly ModelItem[];
  readonly query: Query;
  readonly sent: URLSearchParams;
}

function asked(gateway: Gateway, request: Request): Asked {
  const caller = authenticate(request.headers, gateway.auth);
  const { searchParams: sent } = new URL(request.url);
  const query = parseQuery(OpenRouterModelsQuery, sent);
  const { supported_parameters: parameters = [], output_modalities: modalities = [] } = query;
  const items = asSeenBy(gateway, caller, servableItems(gateway)).filter(
    (item) =>
      parameters.every((name) => item.supported_parameters.includes(name)) &&
      modalities.every((name) => name === "all" || item.output_modalities.includes(name)),
  );
  return { items, query, sent };
}

/** Its details are where this dialect has them. */
function linked(item: ModelItem, base: string): ModelItem {
  return { ...item, links: { details: `${base}/models/${item.id}${ENDPOINTS}` } };
}
