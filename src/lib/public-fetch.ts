import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { readBounded, TooLarge } from "./bounded-body.ts";
import { Patience } from "./patience.ts";
import { isPublicAddress, plainAddress } from "./public-address.ts";
import { untilAborted } from "./until-aborted.ts";

/** A host's addresses, all of them. Rejects when it has none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

export interface PublicFetchOptions {
  /** Of the content, compressed and not. */
  readonly maxBytes: number;
  /** Ends it; the promise then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Media types to ask for, as in the `Accept` header. */
  readonly accept?: string;
  /** Milliseconds without anything arriving. */
  readonly idleMs?: number;
  /** Milliseconds in all, redirects included. */
  readonly totalMs?: number;
  /** Told of the content's bytes as they come. */
  readonly onBytes?: (bytes: number) => void;
  readonly resolve?: Resolve;
  /** Whether this address may be asked for this URL. Every address of a host has to be. */
  readonly isAllowed?: (address: string, url: URL) => boolean;
  /** Certificates to trust, as PEM, instead of the system's. */
  readonly ca?: string;
}

/**
 * Why there is no content. `unreachable` says as little as it can: whether an address is refused, is
 * not there, or does not answer properly is nobody's business outside this network.
 */
export class PublicFetchError extends Error {
  override readonly name = "PublicFetchError";
  readonly reason: "bad_url" | "unreachable" | "status" | "too_large" | "too_slow";
  /** What the server answered instead of 200, for `status`. */
  readonly status: number | null;

  constructor(reason: PublicFetchError["reason"], cause?: unknown, status: number | null = null) {
    super(`fetch: ${reason}`, { cause });
    this.reason = reason;
    this.status = status;
  }
}

const MAX_REDIRECTS = 3;
/** A host can have many addresses; a fetch does not try them for ever. */
const MAX_ADDRESSES = 3;
/**
 * Ports of servers that may take a request's lines for commands of their own, and would get them from this
 * address. Source: the Fetch standard (WHATWG), 2.8 "port blocking".
 */
const BAD_PORTS: ReadonlySet<string> = new Set(
  [
    ...[0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95],
    ...[101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179],
    ...[389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601],
    ...[636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566],
    ...[6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
  ].map(String),
);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * The content of a URL that a stranger gave, by GET, without reaching anything that the stranger
 * could not reach alone: http(s) without user and password; the host's name is resolved once, all of
 * its addresses must be public, and the connection goes to the very address that was looked at (a
 * name that means another address a moment later gains nothing); no ports of other protocols. Certificates are checked against
 * the name. At most three redirects, each one checked like the first URL.
 * @throws PublicFetchError, or the signal's reason
 */
export async function fetchPublic(
  given: string,
  options: PublicFetchOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const stop = new AbortController();
  const leave = (): void => stop.abort(options.signal.reason);
  const tooSlow = (): void => stop.abort(new PublicFetchError("too_slow"));
  const idle = new Patience(options.idleMs ?? 10_000, tooSlow);
  const total = new Patience(options.totalMs ?? 30_000, tooSlow);
  options.signal.addEventListener("abort", leave, { once: true });
  if (options.signal.aborted) leave();
  const alive = (): void => idle.wait(options.idleMs ?? 10_000);
  try {
    const response = await follow(given, options, stop.signal, alive);
    return await readBounded(response, options.maxBytes, alive, options.onBytes);
  } catch (error) {
    if (stop.signal.aborted) throw stop.signal.reason;
    if (error instanceof TooLarge) throw new PublicFetchError("too_large", error);
    throw error instanceof PublicFetchError ? error : new PublicFetchError("unreachable", error);
  } finally {
    idle.end();
    total.end();
    options.signal.removeEventListener("abort", leave);
    // Whatever is still open, such as the rest of a body that is too long, is closed.
    stop.abort();
  }
}

/** The 200 at the end of the redirects. */
async function follow(
  given: string,
  options: PublicFetchOptions,
  signal: AbortSignal,
  alive: () => void,
): Promise<Response> {
  let url = readUrl(given);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await ask(url, await addressesOf(url, options, signal), options, signal);
    alive();
    if (response.status === 200) return response;
    const location = response.headers.get("location");
    await response.body?.cancel();
    if (!REDIRECTS.has(response.status) || location === null) {
      throw new PublicFetchError("status", undefined, response.status);
    }
    url = readUrl(location, url);
  }
  throw new PublicFetchError("unreachable", new Error("too many redirects"));
}

function readUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password !== "") {
    throw new PublicFetchError("bad_url");
  }
  if (BAD_PORTS.has(url.port)) {
    throw new PublicFetchError("unreachable", new Error("a port of another protocol"));
  }
  return url;
}

/** Where to connect to for this URL: looked up once, and each one allowed. */
async function addressesOf(
  url: URL,
  options: PublicFetchOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const found =
    isIP(host) > 0 ? [host] : await untilAborted((options.resolve ?? resolve)(host), signal);
  const { isAllowed = (address: string) => isForeignPublicAddress(address) } = options;
  if (found.length === 0 || !found.every((address) => isAllowed(address, url))) {
    throw new PublicFetchError("unreachable", new Error("not a public address"));
  }
  // Not every network has IPv6, whatever the name's records say.
  return found.toSorted((a, b) => isIP(a) - isIP(b)).slice(0, MAX_ADDRESSES);
}

/** The first answer of one of the addresses. The URL asked for has the address in the name's place. */
async function ask(
  url: URL,
  addresses: readonly string[],
  options: PublicFetchOptions,
  signal: AbortSignal,
): Promise<Response> {
  const name = url.hostname.replace(/\.$/, "");
  const tls = {
    rejectUnauthorized: true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(isIP(name.replace(/^\[(.*)\]$/, "$1")) > 0 ? {} : { serverName: name }),
  };
  const headers = {
    host: url.host,
    "user-agent": "covey",
    accept: options.accept ?? "*/*",
    "accept-encoding": "identity",
  };
  let failure: unknown;
  for (const address of addresses) {
    const pinned = new URL(url);
    pinned.hostname = isIP(address) === 6 ? `[${address}]` : address;
    try {
      // A kept connection could have been opened for another name; our own code decompresses, bounded. A proxy
      // of the environment would look at nothing, and be inside.
      const init = {
        headers,
        signal,
        tls,
        redirect: "manual",
        keepalive: false,
        proxy: false,
        decompress: false,
      } as const;
      return await fetch(pinned, init);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

/**
 * Public, and not this machine's own, however it is spelt: what listens here may be shut off from outside.
 * @param own this machine's addresses
 */
export function isForeignPublicAddress(
  address: string,
  own: readonly string[] = ownAddresses(),
): boolean {
  const plain = plainAddress(address);
  return isPublicAddress(address) && !own.some((each) => plainAddress(each) === plain);
}

function ownAddresses(): readonly string[] {
  const interfaces = Object.values(networkInterfaces());
  return interfaces.flatMap((addresses) => addresses ?? []).map(({ address }) => address);
}

/** As every other program on this machine looks names up. */
export async function resolve(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
