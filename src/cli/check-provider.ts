import { z } from "zod";
import type { Config } from "../config/schema.ts";
import { networkReason } from "../lib/network-reason.ts";
import { withoutKeys } from "../lib/redact.ts";
import { UserError } from "../lib/user-error.ts";

type Provider = Pick<Config["providers"][string], "baseUrl" | "apiKey" | "apiKeyEnv" | "models">;

/** What OpenAI's API answers to `GET /models`, as far as it is read here. */
const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) });

const PATIENCE_MS = 3_000;

/**
 * Asks a provider for its models, with its key; resolves with what to tell. Throws `UserError` with
 * what is wrong and what to do; the key is in neither.
 */
export async function tryProvider(provider: Provider, patienceMs = PATIENCE_MS): Promise<string> {
  const { baseUrl, apiKey, apiKeyEnv } = provider;
  const signal = AbortSignal.timeout(patienceMs);
  const url = shownUrl(baseUrl);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`${baseUrl}/models`, {
      headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
      // A redirect would carry the key to another host.
      redirect: "manual",
      signal,
    });
    body = response.ok ? await jsonOf(response) : await response.body?.cancel();
  } catch (error) {
    const reason = signal.aborted
      ? `no answer within ${patienceMs / 1_000} s`
      : withoutKeys(networkReason(error), apiKey === null ? [] : [apiKey]);
    throw new UserError(
      `${url} cannot be reached: ${reason}; start that server, or put its base_url right`,
    );
  }
  const fault = faultOf(response.status, apiKeyEnv);
  if (fault !== null) throw new UserError(`${url} ${fault}`);
  const listed = ModelList.safeParse(body);
  if (!listed.success)
    throw new UserError(
      `${url} does not answer /models as OpenAI's API does: put its base_url right, it usually ends in /v1`,
    );
  const ids = new Set(listed.data.data.map(({ id }) => id));
  const absent = provider.models
    .map(({ id, upstreamId }) => upstreamId ?? id)
    .filter((id) => !ids.has(id));
  const note = absent.length === 0 ? "" : `; it does not list ${absent.join(", ")}`;
  return `${url} is reachable (${ids.size === 1 ? "1 model" : `${ids.size} models`}${note})`;
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

function faultOf(status: number, apiKeyEnv: string | null): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400)
    return "answers with a redirect, which is never followed: put the address it leads to into base_url";
  if (status === 401 || status === 403)
    return apiKeyEnv === null
      ? `wants a key (${status}): name the variable that holds it with api_key_env`
      : `refuses the key in ${apiKeyEnv} (${status}): set it to a valid one`;
  if (status === 404) return "has no /models (404): put its base_url right, it usually ends in /v1";
  return `answers ${status}: look into that server's log, or try again later`;
}

/** Without user, password and query: secrets may be in these. */
function shownUrl(baseUrl: string): string {
  const { origin, pathname } = new URL(baseUrl);
  return `${origin}${pathname}`;
}
