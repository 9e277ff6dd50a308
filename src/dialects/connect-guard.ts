import { Patience } from "../lib/patience.ts";

/** An origin that answered so recently is there: nothing is tried out. */
const FRESH_MS = 10_000;

/**
 * Watches whether an origin can be connected to at all, since `fetch` has no limit for that. Beside a
 * request to an origin that has not answered lately, a bare connection is opened and closed at once;
 * the request itself does not wait for it.
 */
export class ConnectGuard {
  readonly #hostname: string;
  readonly #port: number;
  readonly #limitMs: number;
  /** A proxy connects in our place, and this one could not. */
  readonly #off: boolean;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(baseUrl: string, limitMs: number, env: Readonly<Record<string, string | undefined>>) {
    const { hostname, port, protocol } = new URL(baseUrl);
    const secure = protocol === "https:";
    this.#hostname = hostname.replace(/^\[|\]$/g, "");
    this.#port = port === "" ? (secure ? 443 : 80) : Number(port);
    this.#limitMs = limitMs;
    this.#off = hasProxy(this.#hostname, secure, env);
  }

  /** The origin has answered something. */
  answered(): void {
    this.#answeredAt = performance.now();
  }

  /** Calls `giveUp` when no connection stands within the limit. Returns what ends the watch. */
  watch(giveUp: () => void): () => void {
    if (this.#off || performance.now() - this.#answeredAt < FRESH_MS) return nothing;
    const patience = new Patience(this.#limitMs, giveUp);
    const end = (): void => patience.end();
    const socket = { open: close, data: nothing, close: nothing, error: nothing };
    // A refusal is the request's own to report, and it will.
    Bun.connect({ hostname: this.#hostname, port: this.#port, socket }).then(end, end);
    return end;
  }
}

/** Whether `fetch` goes through a proxy, by the variables that it reads. */
function hasProxy(
  hostname: string,
  secure: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const name = secure ? "https_proxy" : "http_proxy";
  if ((env[name] ?? env[name.toUpperCase()] ?? "") === "") return false;
  const without = (env.no_proxy ?? env.NO_PROXY ?? "").split(",").map((entry) => entry.trim());
  return !without.some((entry) => {
    const suffix = entry.replace(/^\*?\.?/, "").replace(/:\d+$/, "");
    if (suffix === "") return entry === "*";
    return hostname === suffix || hostname.endsWith(`.${suffix}`);
  });
}

const nothing = (): void => undefined;
const close = (socket: { end(): void }): void => socket.end();
