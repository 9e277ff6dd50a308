import { GatewayError } from "../contract/errors.ts";
import type { Message, UserPart } from "../contract/messages.ts";
import { PrivateHosts } from "../lib/private-hosts.ts";
import { fetchPublic, isForeignPublicAddress } from "../lib/public-fetch.ts";
import { untilAborted } from "../lib/until-aborted.ts";
import type { ProviderSettings } from "../types.ts";
import { isDataUri } from "./data-uri.ts";
import { badImage, checkedDataUri, fetchFailure, inlined, MAX_IMAGE_BYTES } from "./image-rules.ts";
import { mediaUrlsOf, unfetchedMedium } from "./media-urls.ts";

/** Images that one request may have us fetch, how many at a time, and how large they may be together. */
const MAX_FETCHED = 16;
const AT_ONCE = 4;
const MAX_FETCHED_BYTES = 40_000_000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };
const ACCEPT = "image/png, image/jpeg, image/webp, image/gif";

type ImagePart = Extract<UserPart, { type: "image_url" }>;

export interface ImageRules {
  /** `host` or `host:port` of URLs that are fetched though their addresses are private, in lower case. */
  readonly allowHosts: readonly string[];
}

/** Where a request is going to, as far as images matter. */
export type ImageTarget = Pick<ProviderSettings, "id" | "baseUrl"> & {
  readonly input: ProviderSettings["file"]["images"]["input"];
};

/** The images in chat messages, as each provider must get them. One for all calls. */
export class Images {
  #allowHosts: ReadonlySet<string>;
  readonly #privateHosts: Pick<PrivateHosts, "has">;
  /** What a part's URL has become, for the call's next attempt, as long as the call holds the part. */
  readonly #inlined = new WeakMap<ImagePart, string>();

  constructor(
    rules: ImageRules = { allowHosts: [] },
    privateHosts: Pick<PrivateHosts, "has"> = new PrivateHosts(),
  ) {
    this.#allowHosts = new Set(rules.allowHosts);
    this.#privateHosts = privateHosts;
  }

  /** From now on by these rules. */
  use(rules: ImageRules): void {
    this.#allowHosts = new Set(rules.allowHosts);
  }

  /**
   * The messages as the target takes them. A target that takes base64 only, or that runs on a private
   * address and would fetch a stranger's URL from inside, gets every image as a data URI. Messages are
   * never changed, new ones are given; the same ones where nothing has to be done. Give it the call's
   * own messages, so that another attempt does not fetch again.
   * Other media are never fetched here, so that for such a server their URLs are refused.
   * @throws GatewayError 400 with the image's `param`; or the signal's reason
   */
  async prepare(
    messages: readonly Message[],
    target: ImageTarget,
    signal: AbortSignal,
  ): Promise<readonly Message[]> {
    const images = imagesOf(messages);
    const media = mediaUrlsOf(messages).filter(({ url }) => !this.#isAllowedHost(url));
    const [first] = images;
    if (first === undefined && media.length === 0) return messages;
    if (target.input === "none" && first !== undefined) {
      const details = { param: first.param, fault: "unsupported" } as const;
      throw new GatewayError("invalid_request", `'${target.id}' takes no images.`, details);
    }
    const inside =
      (target.input === "url" || media.length > 0) &&
      (await untilAborted(this.#privateHosts.has(target.baseUrl), signal));
    const [medium] = media;
    if (inside && medium !== undefined) throw unfetchedMedium(medium.param, target.id);
    if (target.input === "url" && !inside) return messages;
    const fresh = images.filter(({ part }) => !this.#inlined.has(part));
    for (const { part, param } of fresh) {
      const { url } = part.image_url;
      if (isDataUri(url)) this.#inlined.set(part, checkedDataUri(url, param));
    }
    await this.#fetchAll(
      fresh.filter(({ part }) => !this.#inlined.has(part)),
      signal,
    );
    return messages.map((message) => this.#withInlined(message));
  }

  async #fetchAll(images: readonly Image[], signal: AbortSignal): Promise<void> {
    const byUrl = Map.groupBy(images, ({ part }) => part.image_url.url);
    const beyond = [...byUrl.values()][MAX_FETCHED]?.[0];
    if (beyond !== undefined) {
      const why = `a request may have at most ${MAX_FETCHED} images fetched; send data URIs`;
      throw badImage(beyond.param, why);
    }
    // The first failure ends the other fetches too.
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const queue = byUrl.entries();
    let bytes = 0;
    const work = async (): Promise<void> => {
      for (const [url, same] of queue) {
        const param = same[0]?.param ?? "messages";
        const content = await this.#fetch(url, param, either);
        bytes += content.byteLength;
        if (bytes > MAX_FETCHED_BYTES) {
          const most = `${MAX_FETCHED_BYTES / 1e6} MB`;
          throw badImage(param, `the images of the request are larger than ${most} together`);
        }
        const inline = inlined(content, param);
        for (const { part } of same) this.#inlined.set(part, inline);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } finally {
      failed.abort();
    }
  }

  async #fetch(url: string, param: string, signal: AbortSignal): Promise<Uint8Array> {
    const isAllowed = (address: string, at: URL): boolean =>
      isForeignPublicAddress(address) || this.#isAllowedHost(at.href);
    const options = { maxBytes: MAX_IMAGE_BYTES, accept: ACCEPT, signal, isAllowed };
    try {
      return await fetchPublic(url, options);
    } catch (error) {
      throw fetchFailure(error, param);
    }
  }

  #isAllowedHost(url: string): boolean {
    const at = URL.parse(url);
    if (at === null) return false;
    const port = at.port || DEFAULT_PORTS[at.protocol];
    return this.#allowHosts.has(at.hostname) || this.#allowHosts.has(`${at.hostname}:${port}`);
  }

  #withInlined(message: Message): Message {
    if (message.role !== "user" || typeof message.content === "string") return message;
    const content = message.content.map((part) => {
      const url = part.type === "image_url" ? this.#inlined.get(part) : undefined;
      return part.type === "image_url" && url !== undefined
        ? { ...part, image_url: { ...part.image_url, url } }
        : part;
    });
    return { ...message, content };
  }
}

interface Image {
  readonly part: ImagePart;
  /** The path of its URL in the request. */
  readonly param: string;
}

function imagesOf(messages: readonly Message[]): Image[] {
  return messages.flatMap((message, i) => {
    if (message.role !== "user" || typeof message.content === "string") return [];
    return message.content.flatMap((part, j) =>
      part.type === "image_url"
        ? [{ part, param: `messages[${i}].content[${j}].image_url.url` }]
        : [],
    );
  });
}
