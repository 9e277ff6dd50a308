import { fetchPublic, isForeignPublicAddress } from "../lib/public-fetch.ts";
import { checkedFacts, DEFAULT_BOUNDS, type ImageBounds } from "./bounds.ts";
import { base64Bytes, isDataUri, parseDataUri } from "./data-uri.ts";
import type { ImageFacts } from "./facts.ts";
import { HeldImageBytes, type ImageTotals, type RequestBytes } from "./held.ts";
import { badImage, imageFailure } from "./refusal.ts";

/** Images that one request may have us fetch, and how many at a time. */
const MAX_FETCHED = 16;
const AT_ONCE = 4;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };
const ACCEPT = "image/png, image/jpeg, image/webp, image/gif";

export interface ImageRules {
  /** `host` or `host:port` of URLs that are fetched though their addresses are private, in lower case. */
  readonly allowHosts: readonly string[];
}

/** An image that is named in a request: by a URL, or whole, as a data URI. */
export interface ImageReference {
  readonly url: string;
  /** Its path in the request, such as `messages[0].content[1].image_url.url`. */
  readonly param: string;
}

/** An image that keeps the rules: its bytes as they came, and what they are. */
export interface CheckedImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly facts: ImageFacts;
}

/** The images of one request, which count as held until they are let go. */
export interface HeldImages {
  readonly images: readonly CheckedImage[];
  /** Calling it twice does no harm. */
  letGo(): void;
}

/** Where images come from, and what they may be. One for all calls, in the gateway's process: nothing is decoded. */
export class ImageSource {
  #allowHosts: ReadonlySet<string>;
  readonly bounds: ImageBounds;
  readonly #held: HeldImageBytes;

  constructor(
    rules: ImageRules = { allowHosts: [] },
    bounds: ImageBounds = DEFAULT_BOUNDS,
    totals?: ImageTotals,
  ) {
    this.#allowHosts = new Set(rules.allowHosts);
    this.bounds = bounds;
    this.#held = new HeldImageBytes(totals);
  }

  /** From now on by these rules. */
  use(rules: ImageRules): void {
    this.#allowHosts = new Set(rules.allowHosts);
  }

  /** Bytes of images that are held now, for all requests. */
  get heldBytes(): number {
    return this.#held.held;
  }

  /** Whether the operator lets this URL be fetched wherever it leads. */
  isAllowedHost(url: string): boolean {
    const at = URL.parse(url);
    if (at === null) return false;
    const port = at.port || DEFAULT_PORTS[at.protocol];
    return this.#allowHosts.has(at.hostname) || this.#allowHosts.has(`${at.hostname}:${port}`);
  }

  /** One image, from its URL or data URI. @throws GatewayError 400 with its `param`, 503; or the signal's reason */
  async read(reference: ImageReference, signal: AbortSignal): Promise<CheckedImage> {
    const [image] = await this.readAll([reference], signal);
    if (image === undefined) throw new Error("an image was lost");
    return image;
  }

  /** As `hold`, for who is done with the bytes soon: they count until all are there. */
  async readAll(
    references: readonly ImageReference[],
    signal: AbortSignal,
  ): Promise<readonly CheckedImage[]> {
    const { images, letGo } = await this.hold(references, signal);
    letGo();
    return images;
  }

  /**
   * The images of one request, in its order. Data URIs first, which cost no waiting; the same URL is fetched
   * once; the first failure ends all fetches. Bytes are counted before they are decoded from base64, and as
   * they are fetched.
   * @throws GatewayError 400 with the image's `param`, 503 where too much is held; or the signal's reason
   */
  async hold(references: readonly ImageReference[], signal: AbortSignal): Promise<HeldImages> {
    const held = this.#held.open();
    try {
      const images = await this.#readAll(references, held, signal);
      return { images, letGo: held.letGo };
    } catch (error) {
      held.letGo();
      throw error;
    }
  }

  async #readAll(
    references: readonly ImageReference[],
    held: RequestBytes,
    signal: AbortSignal,
  ): Promise<readonly CheckedImage[]> {
    const read = new Map<ImageReference, CheckedImage>();
    for (const reference of references)
      if (isDataUri(reference.url)) this.#count(held, base64Bytes(reference.url), reference.param);
    for (const reference of references)
      if (isDataUri(reference.url)) read.set(reference, this.#inline(reference));
    const remote = references.filter((reference) => !read.has(reference));
    const byUrl = Map.groupBy(remote, ({ url }) => url);
    const beyond = [...byUrl.values()][MAX_FETCHED]?.[0];
    if (beyond !== undefined) {
      const why = `a request may have at most ${MAX_FETCHED} images fetched; send data URIs`;
      throw badImage(beyond.param, why);
    }
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const queue = byUrl.values();
    const work = async (): Promise<void> => {
      for (const same of queue) {
        const [first] = same;
        if (first === undefined) continue;
        const image = await this.#fetch(first, either, (bytes) => {
          try {
            this.#count(held, bytes, first.param);
          } catch (error) {
            failed.abort(error);
          }
        });
        for (const reference of same) read.set(reference, image);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } finally {
      failed.abort();
    }
    return references.flatMap((reference) => read.get(reference) ?? []);
  }

  #count(held: RequestBytes, bytes: number, param: string): void {
    try {
      held.add(bytes);
    } catch (error) {
      throw imageFailure(error, param, this.bounds);
    }
  }

  #inline({ url, param }: ImageReference): CheckedImage {
    const parsed = parseDataUri(url);
    if (parsed === null) throw badImage(param, "expected a data URI with valid base64");
    return this.#checked(parsed.bytes, param);
  }

  /** `onBytes` is told of bytes as they come. */
  async #fetch(
    { url, param }: ImageReference,
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<CheckedImage> {
    const isAllowed = (address: string, at: URL): boolean =>
      isForeignPublicAddress(address) || this.isAllowedHost(at.href);
    const { maxBytes } = this.bounds;
    const options = { maxBytes, accept: ACCEPT, signal, isAllowed, onBytes };
    try {
      const bytes = await fetchPublic(url, options);
      // Its last bytes may have been too many.
      signal.throwIfAborted();
      return this.#checked(bytes, param);
    } catch (error) {
      throw imageFailure(error, param, this.bounds);
    }
  }

  #checked(bytes: Uint8Array<ArrayBuffer>, param: string): CheckedImage {
    try {
      return { bytes, facts: checkedFacts(bytes, this.bounds) };
    } catch (error) {
      throw imageFailure(error, param, this.bounds);
    }
  }
}
