import { GatewayError } from "../contract/errors.ts";
import { OPENROUTER, OPENROUTER_BASES, openRouterPaths } from "../contract/openrouter.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { type CallLog, getGeneration } from "./openrouter-generation.ts";
import { getCredits, getKey, type Since, Spending, type Spent } from "./openrouter-key.ts";
import {
  countModels,
  getModel,
  getModelOrEndpoints,
  getProviders,
  listModels,
} from "./openrouter-models.ts";

/** What these endpoints read of the call log. */
export interface ReadSide extends CallLog {
  spent(keyId: string, since: Since): Promise<Spent>;
}

/** The call log can't be read while its database is in trouble; calls go on meanwhile. */
async function readable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new GatewayError("unavailable", "The call log can't be read just now.", {
      retryAfter: 5,
      cause: error,
    });
  }
}

type Handler = (request: Request) => Response | Promise<Response>;

/** Everything of OpenRouter's API that is not a call on a model, under each of its bases. */
export function mountOpenRouter(
  get: (path: string, handler: Handler) => void,
  gateway: Gateway,
  log: ReadSide,
): void {
  const calls: ReadSide = {
    getCall: (id) => readable(log.getCall(id)),
    spent: (keyId, since) => readable(log.spent(keyId, since)),
    caughtUp: (timeoutMs) => log.caughtUp(timeoutMs),
  };
  const spending = new Spending(calls.spent);
  const at = (path: string, handler: Handler): void => {
    for (const each of openRouterPaths(path)) get(each, handler);
  };
  at(OPENROUTER.count.path, (request) => countModels(gateway, request));
  at(OPENROUTER.providers.path, (request) => getProviders(gateway, request));
  at(OPENROUTER.generation.path, (request) => getGeneration(gateway, calls, request));
  at(OPENROUTER.key.path, (request) => getKey(gateway, spending, request));
  at(OPENROUTER.credits.path, (request) => getCredits(gateway, spending, request));
  for (const base of OPENROUTER_BASES) {
    get(`${base}/models`, (request) => listModels(gateway, base, request));
    get(`${base}/models/user`, (request) => listModels(gateway, base, request, true));
    get(`${base}/models/*`, (request) => getModelOrEndpoints(gateway, base, request));
    get(`${base}/model/*`, (request) => getModel(gateway, base, request));
  }
}
