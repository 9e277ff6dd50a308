import { networkReason } from "../lib/network-reason.ts";
import { UserError } from "../lib/user-error.ts";
import { formatHubReference, type HubReference } from "./reference.ts";

/**
 * The download side of a hub that speaks Hugging Face's protocol: `GET /{repo}/resolve/{revision}/{file}`
 * answers with `x-repo-commit`, `x-linked-etag` (the sha256) and `x-linked-size`, and sends on to a
 * CDN. Redirects are followed here and not by fetch, which would take the token along.
 */
export interface Hub {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | null;
}

/** What the hub says about a file before it is fetched. */
export interface HubFile {
  readonly commit: string | null;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** A failure that may be gone at the next attempt. One with a cause got no answer at all. */
export class PassingFailure extends Error {
  override readonly name = "PassingFailure";
  /** Milliseconds the hub asked to wait, or null. */
  readonly retryAfter: number | null;

  constructor(message: string, retryAfter: number | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfter = retryAfter;
  }
}

const MOST_REDIRECTS = 5;
const ANSWER_WITHIN = 30_000;

function urlOf(hub: Hub, { repo, revision, file }: HubReference): URL {
  const segments = [repo, "resolve", revision, file].flatMap((part) => part.split("/"));
  return new URL(`${hub.endpoint}/${segments.map(encodeURIComponent).join("/")}`);
}

/** One request without following; fails like a network when no headers come in time. */
async function fetchOnce(
  url: URL,
  method: "GET" | "HEAD",
  headers: Headers,
  signal: AbortSignal,
): Promise<Response> {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), ANSWER_WITHIN);
  try {
    return await fetch(url, {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.any([signal, timer.signal]),
    });
  } catch (error) {
    signal.throwIfAborted();
    const reason = timer.signal.aborted ? "no answer within 30 s" : networkReason(error);
    throw new PassingFailure(`${url.host}: ${reason}`, null, error);
  } finally {
    clearTimeout(timeout);
  }
}

/**
 * Follows redirects until `isEnough` or an answer that is none. The token goes to the hub's own
 * origin and nowhere else, and an https hub cannot send on to plain http.
 */
async function request(
  hub: Hub,
  reference: HubReference,
  method: "GET" | "HEAD",
  extra: Readonly<Record<string, string>>,
  signal: AbortSignal,
  isEnough: (response: Response) => boolean,
): Promise<Response> {
  let url = urlOf(hub, reference);
  const { origin, protocol } = url;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const headers = new Headers({ "accept-encoding": "identity", "user-agent": "covey", ...extra });
    if (url.origin === origin && hub.token !== null)
      headers.set("authorization", `Bearer ${hub.token}`);
    const response = await fetchOnce(url, method, headers, signal);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null || isEnough(response)) {
      if (response.status >= 400)
        throw await failureOf(response, hub, reference, url.origin === origin);
      return response;
    }
    await response.body?.cancel();
    const next = URL.parse(location, url.href);
    if (
      next === null ||
      !/^https?:$/.test(next.protocol) ||
      (protocol === "https:" && next.protocol !== "https:")
    )
      throw new UserError(`${url.host} sends on to an address that is not safe to follow`);
    url = next;
  }
  throw new UserError(`${url.host} sends on more than ${MOST_REDIRECTS} times`);
}

/** One line for each way a hub refuses; `x-error-code` is what Hugging Face's own client reads. */
async function failureOf(
  response: Response,
  hub: Hub,
  reference: HubReference,
  fromHub: boolean,
): Promise<Error> {
  const { status, headers } = response;
  await response.body?.cancel();
  const { repo, revision, file } = reference;
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(headers.get("retry-after"));
    const wait = seconds > 0 && seconds <= 300 ? seconds * 1_000 : null;
    return new PassingFailure(`${new URL(hub.endpoint).host} answers ${status}`, wait);
  }
  if (!fromHub) return new PassingFailure(`the hub's download server answers ${status}`);
  const page = `${hub.endpoint}/${repo}`;
  switch (headers.get("x-error-code")) {
    case "GatedRepo":
      return new UserError(
        `${repo} is gated: accept its terms at ${page}, then set HF_TOKEN to a token of that account`,
      );
    case "RepoNotFound":
      return new UserError(
        `there is no repository ${repo} at ${hub.endpoint}, or it is private: then set HF_TOKEN`,
      );
    case "RevisionNotFound":
      return new UserError(`${repo} has no revision ${revision}`);
    case "EntryNotFound":
      return new UserError(
        `${repo} has no file ${file} at ${revision}: see ${page}/tree/${revision}`,
      );
  }
  if (status === 404)
    return new UserError(`there is no ${formatHubReference(reference)} at ${hub.endpoint}`);
  if (status === 401 || status === 403)
    return new UserError(
      hub.token === null
        ? `${hub.endpoint} wants a token for ${repo}: if it is gated, accept its terms at ${page}; then set HF_TOKEN`
        : `${hub.endpoint} does not let this HF_TOKEN read ${repo}: if it is gated, accept its terms at ${page}`,
    );
  return new UserError(`${hub.endpoint} answers ${status} for ${formatHubReference(reference)}`);
}

/**
 * Asks for size, sha256 and commit. Throws `UserError` when the hub says no or names no sha256
 * (what is not verified is not kept), `PassingFailure` when another attempt may help.
 */
export async function inspectHubFile(
  hub: Hub,
  reference: HubReference,
  signal: AbortSignal,
): Promise<HubFile> {
  const response = await request(hub, reference, "HEAD", {}, signal, (answer) =>
    answer.headers.has("x-linked-etag"),
  );
  const { headers } = response;
  const etag = headers.get("x-linked-etag") ?? headers.get("etag") ?? "";
  const sha256 = /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(etag)?.[1];
  const sizeText = headers.get("x-linked-size") ?? headers.get("content-length") ?? "";
  const commit = headers.get("x-repo-commit");
  if (sha256 === undefined || !/^\d+$/.test(sizeText))
    throw new UserError(
      `${hub.endpoint} gives no sha256 and size for ${formatHubReference(reference)}, so it could not be verified`,
    );
  return {
    commit: commit !== null && /^[0-9a-f]{40}$/.test(commit) ? commit : null,
    sha256,
    size: Number(sizeText),
  };
}

/**
 * The file's bytes from `start` on. With an `etag`, a file that has changed since comes from its
 * beginning (status 200 instead of 206). Errors as `inspectHubFile`; 416 is returned.
 */
export async function openHubFile(
  hub: Hub,
  reference: HubReference,
  start: number,
  etag: string | null,
  signal: AbortSignal,
): Promise<Response> {
  const range: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` };
  if (start > 0 && etag !== null) range["if-range"] = etag;
  return request(hub, reference, "GET", range, signal, () => false);
}
