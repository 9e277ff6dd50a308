import { z } from "zod";
import type { SettledProvider } from "../catalog/settle-providers.ts";
import { networkReason } from "../lib/network-reason.ts";
import { withoutKeys } from "../lib/redact.ts";
import { UserError } from "../lib/user-error.ts";

/** What OpenAI's API answers to `GET /models`, as far as it is read here; Ollama's says `models` and `name`. */
const ModelList = z.union([
  z
    .object({ data: z.array(z.object({ id: z.string() })) })
    .transform(({ data }) => data.map(({ id }) => id)),
  z
    .object({ models: z.array(z.object({ name: z.string() })) })
    .transform(({ models }) => models.map(({ name }) => name)),
]);

const PATIENCE_MS = 3_000;

/**
 * Asks a provider for its models, with its first key; resolves with what to tell. Throws `UserError`
 * with what is wrong and what to do; no key is in either.
 */
export async function tryProvider(
  provider: SettledProvider,
  patienceMs = PATIENCE_MS,
): Promise<string> {
  const { baseUrl, keys, file } = provider.settings;
  const signal = AbortSignal.timeout(patienceMs);
  const url = shownUrl(baseUrl);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`${baseUrl}${file.paths.models || "/models"}`, {
      headers: { ...file.headers, ...keyHeader(provider) },
      // A redirect would carry the key to another host.
      redirect: "manual",
      signal,
    });
    body = response.ok ? await jsonOf(response) : await response.body?.cancel();
  } catch (error) {
    const reason = signal.aborted
      ? `no answer within ${patienceMs / 1_000} s`
      : withoutKeys(networkReason(error), keys);
    throw new UserError(
      `${url} cannot be reached: ${reason}; start that server, or put its base_url right`,
    );
  }
  const fault = faultOf(response.status, provider);
  if (fault !== null) throw new UserError(`${url} ${fault}`);
  const listed = ModelList.safeParse(body);
  if (!listed.success)
    throw new UserError(
      `${url} does not answer ${file.paths.models} as ${file.name} does: put its base_url right${file.dialect === "openai" ? ", it usually ends in /v1" : ""}`,
    );
  const ids = new Set(listed.data);
  const absent = provider.choice.models
    .map(({ id, upstreamId }) => upstreamId ?? id)
    .filter((id) => !ids.has(id));
  const note = absent.length === 0 ? "" : `; it does not list ${absent.join(", ")}`;
  return `${url} is reachable (${keyNote(provider)}${ids.size === 1 ? "1 model" : `${ids.size} models`}${note})`;
}

function keyHeader({ settings: { keys, file } }: SettledProvider): Record<string, string> {
  const [key] = keys;
  if (key === undefined) return {};
  return file.quirks.auth === "bearer" ? { authorization: `Bearer ${key}` } : { "x-api-key": key };
}

/** Where its keys come from and how many there are; never one of them. */
function keyNote({ settings: { keys }, keyNames }: SettledProvider): string {
  if (keys.length === 0) return "";
  return `${keys.length === 1 ? "1 key" : `${keys.length} keys`} from ${keyNames.join(", ")}, `;
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
  if (status === 401 || status === 403)
    return keys.length === 0
      ? `wants a key (${status}): name the variable that holds it with api_key_env`
      : `refuses the key in ${keyNames.join(", ")} (${status}): set it to a valid one`;
  if (status === 404)
    return `has no ${file.paths.models} (404): put its base_url right${file.dialect === "openai" ? ", it usually ends in /v1" : ""}`;
  return `answers ${status}: look into that server's log, or try again later`;
}

/** Without user, password and query: secrets may be in these. */
function shownUrl(baseUrl: string): string {
  const { origin, pathname } = new URL(baseUrl);
  return `${origin}${pathname}`;
}
