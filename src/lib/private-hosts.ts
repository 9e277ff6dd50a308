import { isIP } from "node:net";
import { isForeignPublicAddress, type Resolve, resolve } from "./public-fetch.ts";

/** How long an answer holds, in milliseconds: names move, but rarely. */
const KEPT_MS = 60_000;

/** Tells which URLs lead into this network rather than out of it. Remembers, since it is asked for every call. */
export class PrivateHosts {
  readonly #resolve: Resolve;
  readonly #now: () => number;
  readonly #known = new Map<
    string,
    { readonly answer: Promise<boolean>; readonly until: number }
  >();

  constructor(look: Resolve = resolve, now: () => number = () => performance.now()) {
    this.#resolve = look;
    this.#now = now;
  }

  /** Whether one of its host's addresses is not public, or cannot be told. Never rejects. */
  has(url: string): Promise<boolean> {
    const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
    const known = this.#known.get(host);
    if (known !== undefined && this.#now() < known.until) return known.answer;
    const answer = this.#look(host);
    this.#known.set(host, { answer, until: this.#now() + KEPT_MS });
    return answer;
  }

  async #look(host: string): Promise<boolean> {
    if (isIP(host) > 0) return !isForeignPublicAddress(host);
    try {
      const addresses = await this.#resolve(host);
      return (
        addresses.length === 0 || !addresses.every((address) => isForeignPublicAddress(address))
      );
    } catch {
      // A name that is unknown here is unknown outside as well, or belongs to this network.
      return true;
    }
  }
}
