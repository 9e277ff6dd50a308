import { readBounded, TooLarge } from "../lib/bounded-body.ts";
import { keyHeader } from "../lib/key-header.ts";
import { networkReason } from "../lib/network-reason.ts";
import { withoutKeys } from "../lib/redact.ts";
import type { ProviderSettings } from "../types.ts";
import { itemsIn } from "./list-items.ts";
import { type ListedModel, readListed } from "./listed.ts";

/** More than this is no list of models. */
const MAX_BYTES = 64e6;

/** Where a list is: its path below the base URL, and its query. */
export interface ListPlace {
  readonly path: string;
  readonly query: string;
}

/** Why a list could not be fetched, in words that hold no key. */
export class ListError extends Error {
  override readonly name = "ListError";
}

/**
 * The text of one of a provider's lists, as it came. Its keys are tried in turn while they are
 * refused; a redirect is never followed, since it would carry the key elsewhere.
 * @throws ListError
 */
export async function fetchList(
  settings: ProviderSettings,
  list: ListPlace,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<string> {
  const keys = settings.keys.length === 0 ? [null] : settings.keys;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([timeout, stop]);
  let refused = 0;
  for (const key of keys) {
    try {
      const answer = await ask(settings, list, key, signal);
      if (typeof answer === "string") return answer;
      refused = answer.refused;
    } catch (error) {
      if (error instanceof ListError) throw error;
      const reason = timeout.aborted ? `no answer within ${timeoutMs / 1_000} s` : told(error);
      throw new ListError(withoutKeys(reason, settings.keys), { cause: error });
    }
  }
  throw new ListError(
    settings.keys.length === 0 ? `it wants a key (${refused})` : `it refuses the key (${refused})`,
  );
}

async function ask(
  { baseUrl, file }: ProviderSettings,
  { path, query }: ListPlace,
  key: string | null,
  signal: AbortSignal,
): Promise<string | { readonly refused: number }> {
  const response = await fetch(listUrl(baseUrl, path, query), {
    headers: {
      accept: "application/json",
      ...file.headers,
      ...keyHeader(file.quirks.auth, key),
    },
    redirect: "manual",
    decompress: false,
    signal,
  });
  const { status } = response;
  if (status >= 200 && status < 300)
    return new TextDecoder().decode(await readBounded(response, MAX_BYTES, () => undefined));
  await response.body?.cancel();
  if (status === 401 || status === 403) return { refused: status };
  if (status >= 300 && status < 400)
    throw new ListError("it answers with a redirect, which is never followed");
  throw new ListError(`it answers ${status}`);
}

function told(error: unknown): string {
  return error instanceof TooLarge
    ? `its list is larger than ${MAX_BYTES / 1e6} MB`
    : networkReason(error);
}

/** A path that begins with `//` counts from the host's root. */
export function listUrl(baseUrl: string, path: string, query: string): string {
  const url = path.startsWith("//") ? new URL(baseUrl).origin + path.slice(1) : baseUrl + path;
  return query === "" ? url : `${url}?${query}`;
}

/** More than this is no list of models either. */
const MAX_MODELS = 200_000;

/**
 * The models in a list's text, each id once. An empty list is one; null is for a text that is no list:
 * no JSON, no array in it, or nothing in it that is a model. Yields between items.
 */
export function* readList(text: string): Generator<void, ListedModel[] | null> {
  // The whole, or what is under `data`, or under `models` as Ollama has it.
  const items = itemsIn(text, ["data", "models"]);
  if (items === null) return null;
  const models = new Map<string, ListedModel>();
  for (const item of items.slice(0, MAX_MODELS)) {
    const model = readListed(item);
    if (model !== null && !models.has(model.id)) models.set(model.id, model);
    yield;
  }
  return models.size === 0 && items.length > 0 ? null : [...models.values()];
}
