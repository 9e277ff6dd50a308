import { ACCOUNT } from "../contract/account.ts";
import { ADMIN } from "../contract/admin.ts";
import { ADMIN_KEYS } from "../contract/admin-keys.ts";
import { ANALYTICS } from "../contract/analytics.ts";
import { GatewayError } from "../contract/errors.ts";
import { OPENROUTER, OPENROUTER_BASES, openRouterPaths } from "../contract/openrouter.ts";
import { CONTRACTS, type Contract } from "../contract/operations.ts";
import { PLAYGROUND } from "../contract/playground.ts";
import { UPSCALE } from "../contract/upscale.ts";
import { pathOf } from "./address.ts";

/** OpenAI's endpoints that Covey will not have, and what to use in their place. */
const UNSUPPORTED: readonly (readonly [prefix: string, instead: string])[] = [
  ["/v1/fine-tuning", "Fine-tune elsewhere and add the weights as a model file."],
  ["/v1/fine_tuning", "Fine-tune elsewhere and add the weights as a model file."],
  ["/v1/assistants", "Use POST /v1/chat/completions with your own instructions."],
  ["/v1/threads", "Keep the messages yourself and send them to POST /v1/chat/completions."],
  ["/v1/runs", "Use POST /v1/chat/completions with tools."],
  ["/v1/batches", "Send the requests side by side to POST /v1/chat/completions."],
  ["/v1/files", "Put the content into the request itself."],
];

/** Endpoints that people know from elsewhere and that this version does not answer. */
const NOT_YET =
  /^\/((api\/|openrouter\/)?v1\/(embeddings|responses|messages|images|audio|moderations|rerank|txt2img|img2img|img-samplers|img-options)|sdapi)(\/|$)/;

/** The paths of ours that are one of a few, each with the methods it takes: `GET, POST`. */
const FIXED: ReadonlyMap<string, string> = together([
  ["/", "GET"],
  ["/docs", "GET"],
  ...[
    ...Object.values(CONTRACTS),
    ...Object.values(ACCOUNT),
    ...Object.values(ADMIN_KEYS),
    ...Object.values(ADMIN),
    ...Object.values(ANALYTICS),
    ...Object.values(PLAYGROUND),
    ...Object.values(UPSCALE),
  ]
    .filter(({ path }) => !path.includes("{"))
    .flatMap((contract) =>
      [contract.path, ...aliasesOf(contract)].map((path) => [path, contract.method] as const),
    ),
  ...Object.values(OPENROUTER)
    .filter(({ path }) => !path.includes("{"))
    .flatMap(({ path, method }) => openRouterPaths(path).map((each) => [each, method] as const)),
]);

function aliasesOf({ aliases = [] }: Contract): readonly string[] {
  return aliases.filter((path) => !path.includes("{"));
}

function together(paths: readonly (readonly [path: string, method: string])[]) {
  const all = new Map<string, string>();
  for (const [path, method] of paths) {
    const others = all.get(path);
    all.set(path, others === undefined ? method : `${others}, ${method}`);
  }
  return all;
}

/** What is below these is ours too, but a stranger can type anything there. */
const PREFIXES = [
  `${CONTRACTS.models.path}/`,
  "/docs/",
  `${ANALYTICS.calls.path}/`,
  `${ANALYTICS.payloads.path}/images/`,
  ...OPENROUTER_BASES.flatMap((base) => [`${base}/models/`, `${base}/model/`]),
];

/** The methods an endpoint of ours takes, as `allow` names them; null for a path that is none of ours. */
export function allowedMethod(path: string): string | null {
  if (path.startsWith(`${ADMIN_KEYS.list.path}/`)) return methodOfKey(path);
  return FIXED.get(path) ?? (PREFIXES.some((prefix) => path.startsWith(prefix)) ? "GET" : null);
}

/** Below the list of keys: a key, or something to do with one. */
function methodOfKey(path: string): string | null {
  const [, act, more] = path.slice(`${ADMIN_KEYS.list.path}/`.length).split("/");
  if (act === undefined) return "GET, POST";
  return more === undefined && ["rotate", "disable", "enable", "revoke"].includes(act)
    ? "POST"
    : null;
}

/** Whether a path is one of a fixed few, so that counting by it can't grow without end. */
export function isFixed(path: string): boolean {
  return FIXED.has(path);
}

/** 404 or 405 for what no route matched, said so that the next attempt can be right. */
export function unknownEndpoint(request: Request): GatewayError {
  const path = pathOf(request);
  const unsupported = UNSUPPORTED.find(
    ([prefix]) => path === prefix || path.startsWith(`${prefix}/`),
  );
  if (unsupported !== undefined) {
    return new GatewayError("not_found", `${unsupported[0]} is not supported. ${unsupported[1]}`);
  }
  const shown = path.slice(0, 120);
  const method = allowedMethod(path);
  if (method !== null && !method.split(", ").includes(request.method)) {
    return new GatewayError(
      "method_not_allowed",
      `${shown} takes ${method}, not ${request.method}.`,
    );
  }
  if (NOT_YET.test(path)) {
    return new GatewayError("not_found", `${shown} is not there in this version of Covey yet.`);
  }
  const meant = whatWasMeant(path);
  const hint = meant === null ? "" : ` Did you mean ${meant}?`;
  return new GatewayError(
    "not_found",
    `There is no ${request.method} ${shown} here.${hint} GET /openapi.json lists every endpoint.`,
  );
}

/** A path of ours that differs by a slash too many, a `/v1` missing, or one too many. */
function whatWasMeant(path: string): string | null {
  const plain = `/${path
    .split("/")
    .filter((part) => part !== "")
    .join("/")}`;
  const candidates = [plain, `/v1${plain}`, plain.replace(/^(\/v1)+/, "/v1")];
  return candidates.find((each) => each !== path && allowedMethod(each) !== null) ?? null;
}
