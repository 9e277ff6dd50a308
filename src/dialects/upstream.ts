import { GatewayError } from "../contract/errors.ts";
import { keyHeader } from "../lib/key-header.ts";
import type { AttemptContext, ModelState, ProviderSettings } from "../types.ts";
import { ConnectGuard } from "./connect-guard.ts";
import { KeyRing } from "./key-ring.ts";
import { readText } from "./read-body.ts";
import { judge, type Refused } from "./refusal.ts";
import { retryAfter } from "./retry-after.ts";
import type { DialectOptions } from "./wire.ts";

/** An error's body is read up to here. */
const MAX_ERROR_BYTES = 64 * 1024;
/** The runtime would give up a silent answer after six minutes; our own limits decide. */
const NO_TIMEOUT = { timeout: false };

/** What was sent, as far as its answer's faults depend on it. */
export interface Sent {
  readonly path: string;
  readonly body: string;
  readonly upstreamId: string;
  readonly prefill: boolean;
  readonly context: AttemptContext;
}

/** An answer that has begun well, and how an error inside it is to be told. */
export interface Begun {
  readonly response: Response;
  readonly refuse: (error: unknown) => GatewayError;
}

/** One provider's server: its keys in turn, its connection, and its refusals in our words. */
export class Upstream {
  readonly settings: ProviderSettings;
  readonly #ring: KeyRing;
  readonly #guard: ConnectGuard;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #onRest: DialectOptions["onRest"];
  /** Why the last call got no answer; null after one that did. */
  #trouble: string | null = null;

  constructor(settings: ProviderSettings, onRest: DialectOptions["onRest"] = undefined) {
    this.settings = settings;
    this.#onRest = onRest;
    this.#ring = new KeyRing(settings.keys.length);
    this.#guard = new ConnectGuard(settings.baseUrl, settings.limits.connect, process.env);
    this.#headers = { "content-type": "application/json", ...settings.file.headers };
  }

  state(upstreamId: string): ModelState {
    const { missingKey } = this.settings;
    if (missingKey !== null) return { state: "unavailable", detail: `${missingKey} is not set` };
    const until = this.#ring.until(upstreamId, performance.now());
    if (until === null) return { state: "ready", detail: this.#trouble };
    return { state: "unavailable", detail: "it refused the gateway's last request", until };
  }

  /** What an operator should know; null when all is well. */
  trouble(): string | null {
    const { missingKey, keys } = this.settings;
    if (missingKey !== null) return `${missingKey} is not set`;
    const resting = this.#ring.resting(performance.now());
    if (resting === 0) return this.#trouble;
    return `${resting} of ${keys.length} keys ${resting === 1 ? "rests" : "rest"} after a refusal`;
  }

  /** How many of its keys there are, and how many rest for some model. */
  keys(now: number): { readonly all: number; readonly resting: number } {
    return { all: this.settings.keys.length, resting: this.#ring.resting(now) };
  }

  /** A limit of time has passed, or the connection failed: told by `state` until an answer comes. */
  failed(trouble: string): void {
    this.#trouble = trouble;
  }

  /**
   * Sends a request, and gives its answer once that has begun.
   * @throws GatewayError with a fault, for whatever is no answer
   */
  async post(sent: Sent): Promise<Begun> {
    const { keys } = this.settings;
    const key = keys.length === 0 ? null : this.#ring.take(sent.upstreamId, performance.now());
    if (key === null && keys.length > 0) throw this.#allRest(sent.upstreamId);
    const response = await this.#fetch(sent, key === null ? null : (keys[key] ?? null));
    this.#guard.answered();
    this.#trouble = null;
    const { status } = response;
    if (status >= 300 && status < 400) {
      await response.body?.cancel().catch(() => undefined);
      throw this.#broken("answered with a redirect, which is never followed");
    }
    if (!response.ok) {
      throw this.#refused(sent, key, {
        status,
        body: await errorBody(response),
        retryAfter: retryAfter(response.headers, Date.now()),
        prefill: sent.prefill,
      });
    }
    if (key !== null) this.#ring.worked(key, sent.upstreamId, performance.now());
    const refuse = (body: unknown): GatewayError =>
      this.#refused(sent, key, { status: null, body, retryAfter: null, prefill: sent.prefill });
    return { response, refuse };
  }

  async #fetch(sent: Sent, key: string | null): Promise<Response> {
    const { baseUrl, file, limits } = this.settings;
    const { context, body } = sent;
    const headers = { ...this.#headers, ...keyHeader(file.quirks.auth, key) };
    const stopWatching = this.#guard.watch(() => {
      const error = new GatewayError(
        "upstream_timeout",
        `'${this.settings.id}' could not be connected to within ${limits.connect / 1000} s.`,
        { fault: "silent" },
      );
      this.failed(error.message);
      context.abort(error);
    });
    try {
      return await fetch(urlOf(baseUrl, sent.path), {
        method: "POST",
        headers,
        body,
        signal: context.signal,
        // A redirect would carry the body and the key to another host.
        redirect: "manual",
        ...NO_TIMEOUT,
      });
    } catch (error) {
      throw this.lost(context, error);
    } finally {
      stopWatching();
    }
  }

  /** A connection that could not be made, or broke off; or that we gave up ourselves. */
  lost({ signal }: AttemptContext, cause: unknown): GatewayError {
    if (cause instanceof GatewayError) return cause;
    if (signal.aborted) {
      if (signal.reason instanceof GatewayError) return signal.reason;
      return new GatewayError("client_closed", "The call was given up.", { cause });
    }
    if (cause instanceof RangeError) return this.#broken("answered with more than is taken", cause);
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    const error = this.#broken(`could not be reached, or broke off${code}`, cause);
    this.failed(error.message);
    return error;
  }

  #broken(what: string, cause?: unknown): GatewayError {
    return new GatewayError("upstream_error", `'${this.settings.id}' ${what}.`, {
      fault: "broken",
      cause,
    });
  }

  /** The refusal in our words, and the key that caused it at rest. */
  #refused(sent: Sent, key: number | null, refused: Refused): GatewayError {
    const { error, rests, retryAfter: told } = judge(this.settings, refused);
    if (rests === "no" || (key === null && error.kind === "overloaded")) return error;
    if (key === null) return this.#wantsKey(error);
    const now = performance.now();
    const model = sent.upstreamId;
    const all = this.settings.file.quirks.limits_by === "provider" && error.kind === "overloaded";
    const resting = all ? this.settings.keys.keys() : [key];
    for (const index of resting) {
      const rested = this.#ring.rests(index, model, now);
      const until =
        error.kind === "overloaded"
          ? this.#ring.limited(index, model, told === null ? null : told * 1000, now)
          : this.#ring.refused(index, model, rests === "key", now);
      // Calls that were on their way are refused too, and say nothing new.
      if (!rested) {
        const { id, keys: all } = this.settings;
        this.#onRest?.({
          provider: id,
          key: index + 1,
          keys: all.length,
          model,
          why: refused.status === null ? "error in an answer" : `status ${refused.status}`,
          forMs: Math.round(until - now),
        });
      }
    }
    const until = this.#ring.until(model, now);
    if (until === null) {
      return new GatewayError(error.kind, error.message, { fault: "key", param: error.param });
    }
    if (error.kind !== "overloaded") return error;
    return new GatewayError(error.kind, error.message, {
      fault: "busy",
      retryAfter: Math.round(until - now) / 1000,
    });
  }

  /** It was sent no key, and has to be given one: asking again would be refused again. */
  #wantsKey({ kind, message, param }: GatewayError): GatewayError {
    this.failed(message);
    return new GatewayError(kind, message, { fault: "unsupported", param });
  }

  #allRest(upstreamId: string): GatewayError {
    const now = performance.now();
    const until = this.#ring.until(upstreamId, now) ?? now;
    return new GatewayError("overloaded", `'${this.settings.id}' takes no requests for a while.`, {
      fault: "busy",
      retryAfter: Math.max(1, Math.round(until - now) / 1000),
    });
  }
}

/** A path below the base URL, or from the host's root where it begins with two slashes. */
export function urlOf(baseUrl: string, path: string): string {
  return path.startsWith("//") ? new URL(baseUrl).origin + path.slice(1) : baseUrl + path;
}

async function errorBody(response: Response): Promise<unknown> {
  let text: string;
  try {
    text = await readText(response, MAX_ERROR_BYTES);
  } catch {
    // Its status says enough.
    return "";
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
