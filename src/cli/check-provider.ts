import { z } from "zod";
import { listUrl } from "../catalog/fetch-list.ts";
import { listsOf } from "../catalog/provider-lists.ts";
import type { SettledProvider } from "../catalog/settle-providers.ts";
import { keyHeader } from "../lib/key-header.ts";
import { networkReason } from "../lib/network-reason.ts";
import { withoutKeys } from "../lib/redact.ts";
import { UserError } from "../lib/user-error.ts";
import { ordinal } from "./format.ts";

/** What OpenAI's API answers to `GET /models`, as far as it is read here; Ollama's says `models` and `name`. */
const ModelList = z.union([
  z
    .object({ data: z.array(z.object({ id: z.string() })) })
    .transform(({ data }) => data.map(({ id }) => id)),
  z
    .object({ models: z.array(z.object({ name: z.string() })) })
    .transform(({ models }) => models.map(({ name }) => name)),
  // Upscalers, as the Stable Diffusion web UIs list them.
  z.array(z.object({ name: z.string() })).transform((all) => all.map(({ name }) => name)),
]);

const PATIENCE_MS = 3_000;

/** What there is to tell of a provider that answers, and the ids it lists. */
export interface Tried {
  readonly text: string;
  readonly ids: readonly string[];
}

/**
 * Asks a provider for its models, with each of its keys; resolves with what to tell. Throws `UserError`
 * with what is wrong and what to do; keys are told by their place, no key is in either.
 */
export async function tryProvider(
  provider: SettledProvider,
  patienceMs = PATIENCE_MS,
): Promise<Tried> {
  const { baseUrl, keys, file } = provider.settings;
  const signal = AbortSignal.timeout(patienceMs);
  const url = shownUrl(baseUrl);
  const tried: (string | null)[] = keys.length === 0 ? [null] : [...keys];
  let responses: Response[];
  let body: unknown;
  try {
    responses = await Promise.all(tried.map((key) => ask(provider, key, signal)));
    const answer = responses.find(({ ok }) => ok);
    body = answer === undefined ? undefined : await jsonOf(answer);
    await Promise.all(responses.map((each) => (each === answer ? null : each.body?.cancel())));
  } catch (error) {
    const reason = signal.aborted
      ? `no answer within ${patienceMs / 1_000} s`
      : withoutKeys(networkReason(error), keys);
    throw new UserError(
      `${url} cannot be reached: ${reason}; start that server, or put its base_url right`,
    );
  }
  const statuses = responses.map(({ status }) => status);
  const good = statuses.find((status) => !isRefusal(status));
  const fault = faultOf(good ?? statuses[0] ?? 0, provider);
  if (fault !== null) throw new UserError(`${url} ${fault}`);
  const refused = refusedKeys(statuses);
  if (refused !== null)
    throw new UserError(
      `${url}: ${countOf(keys, "key")} from ${provider.keyNames.join(", ")}: ${refused}`,
    );
  const listed = ModelList.safeParse(body);
  if (!listed.success)
    throw new UserError(
      `${url} does not answer ${listsOf(file)[0].path} as ${file.name} does: put its base_url right${file.dialect === "openai" && file.paths.chat !== false ? ", it usually ends in /v1" : ""}`,
    );
  const ids = new Set(listed.data);
  const absent = provider.choice.models
    .map(({ id, upstreamId }) => upstreamId ?? id)
    .filter((id) => !ids.has(id));
  const note = absent.length === 0 ? "" : `; it does not list ${absent.join(", ")}`;
  return {
    text: `${url} is reachable (${keyNote(provider)}${countOf([...ids], "model")}${note})`,
    ids: [...ids],
  };
}

function ask(
  provider: SettledProvider,
  key: string | null,
  signal: AbortSignal,
): Promise<Response> {
  const { baseUrl, file } = provider.settings;
  const [{ path, query }] = listsOf(file);
  return fetch(listUrl(baseUrl, path, query), {
    headers: { ...file.headers, ...keyHeader(file.quirks.auth, key) },
    // A redirect would carry the key to another host.
    redirect: "manual",
    signal,
  });
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

/** `the 2nd is refused (401)`; null when none is. */
function refusedKeys(statuses: readonly number[]): string | null {
  const places = statuses.flatMap((status, at) =>
    isRefusal(status) ? [`the ${ordinal(at + 1)} (${status})`] : [],
  );
  if (places.length === 0) return null;
  return places.length === 1
    ? (places[0] ?? "").replace(" (", " is refused (")
    : `${places.join(", ")} are refused`;
}

function countOf(things: readonly string[], name: string): string {
  return things.length === 1 ? `1 ${name}` : `${things.length} ${name}s`;
}

/** Where its keys come from and how many there are; never one of them. */
function keyNote({ settings: { keys }, keyNames }: SettledProvider): string {
  if (keys.length === 0) return "";
  return `${countOf(keys, "key")} from ${keyNames.join(", ")}, `;
}

/** Undefined for a body that isn't JSON. Rejects when it stops coming. */
async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultOf(
  status: number,
  { keyNames, settings: { keys, file } }: SettledProvider,
): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400)
    return "answers with a redirect, which is never followed: put the address it leads to into base_url";
  if (isRefusal(status))
    return keys.length === 0
      ? `wants a key (${status}): name the variable that holds it with api_key_env`
      : keys.length === 1
        ? `refuses the key in ${keyNames.join(", ")} (${status}): set it to a valid one`
        : `refuses all ${keys.length} keys in ${keyNames.join(", ")} (${status}): set valid ones`;
  if (status === 404)
    return `has no ${listsOf(file)[0].path} (404): put its base_url right${file.dialect === "openai" && file.paths.chat !== false ? ", it usually ends in /v1" : ""}`;
  return `answers ${status}: look into that server's log, or try again later`;
}

/** Without user, password and query: secrets may be in these. */
function shownUrl(baseUrl: string): string {
  const { origin, pathname } = new URL(baseUrl);
  return `${origin}${pathname}`;
}
