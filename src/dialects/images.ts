import { GatewayError } from "../contract/errors.ts";
import type { Message, UserPart } from "../contract/messages.ts";
import { dataUri, isDataUri } from "../images/data-uri.ts";
import { type ImageLimits, NO_LIMITS } from "../images/fit.ts";
import type { Asker, Refitter } from "../images/refitter.ts";
import { badImage } from "../images/refusal.ts";
import { type SentImage, sendable } from "../images/sendable.ts";
import { type CheckedImage, ImageSource } from "../images/source.ts";
import { PrivateHosts } from "../lib/private-hosts.ts";
import { untilAborted } from "../lib/until-aborted.ts";
import type { ProviderSettings } from "../types.ts";
import { mediaUrlsOf, unfetchedMedium } from "./media-urls.ts";

type ImagePart = Extract<UserPart, { type: "image_url" }>;

/** Where a request is going to, as far as images matter. */
export type ImageTarget = Pick<ProviderSettings, "id" | "baseUrl"> & {
  readonly input: ProviderSettings["file"]["images"]["input"];
  readonly limits?: ImageLimits;
};

/** What a provider's file says of it. */
export function imageTarget({ id, baseUrl, file }: ProviderSettings): ImageTarget {
  const { input, max_side, max_pixels, max_bytes } = file.images;
  if (max_side === undefined && max_pixels === undefined && max_bytes === undefined)
    return { id, baseUrl, input };
  const limits = {
    maxSide: max_side ?? null,
    maxPixels: max_pixels ?? null,
    maxBytes: max_bytes ?? null,
  };
  return { id, baseUrl, input, limits };
}

export interface ImageParts {
  /** Where URLs are fetched, and what images may be. */
  readonly source?: ImageSource;
  /** Makes images smaller and turns them upright; null where its library is not installed. */
  readonly refitter?: Pick<Refitter, "refit"> | null;
  readonly privateHosts?: Pick<PrivateHosts, "has">;
}

/** The images in chat messages, as each provider must get them. One for all calls. */
export class Images {
  readonly #source: ImageSource;
  readonly #refitter: Pick<Refitter, "refit"> | null;
  readonly #privateHosts: Pick<PrivateHosts, "has">;
  /** What was fetched, for the call's next attempt, as long as the call holds the part. */
  readonly #fetched = new WeakMap<ImagePart, CheckedImage>();
  /** What a part's URL has become for those limits. */
  readonly #inlined = new WeakMap<
    ImagePart,
    { readonly url: string; readonly limits: ImageLimits }
  >();

  constructor({ source, refitter, privateHosts }: ImageParts = {}) {
    this.#source = source ?? new ImageSource();
    this.#refitter = refitter ?? null;
    this.#privateHosts = privateHosts ?? new PrivateHosts();
  }

  /**
   * The messages as the target takes them. A target that takes base64 only, or that runs on a private
   * address and would fetch a stranger's URL from inside, gets every image as a data URI: upright, without
   * metadata, and as small as it takes them. Messages are never changed, new ones are given; the same
   * ones where nothing has to be done. Give it the call's own messages, so that another attempt does not
   * fetch again. Other media are never fetched here, so that for such a server their URLs are refused.
   * @throws GatewayError 400 with the image's `param`; or the signal's reason
   */
  async prepare(
    messages: readonly Message[],
    target: ImageTarget,
    asker: Asker,
  ): Promise<readonly Message[]> {
    const { signal } = asker;
    const images = imagesOf(messages);
    const media = mediaUrlsOf(messages).filter(({ url }) => !this.#source.isAllowedHost(url));
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
    const limits = target.limits ?? NO_LIMITS;
    const fetchesItself = target.input === "url" && !inside;
    // A hosted provider looks after what it fetches; what is in the request has to keep its limits.
    const isFree = ({ part }: Image): boolean =>
      fetchesItself && (limits === NO_LIMITS || !isDataUri(part.image_url.url));
    const own = images.filter((image) => !isFree(image));
    if (own.length === 0) return messages;
    await this.#inlineAll(own, target.id, limits, asker);
    const mine = new Set(own.map(({ part }) => part));
    return messages.map((message) => this.#withInlined(message, mine));
  }

  /**
   * An image that is not in a message, in base64 or as a data URI, as whoever enlarges it gets it: a file
   * within the bounds, upright, without metadata.
   * @throws GatewayError 400 with its `param`; or the signal's reason
   */
  async upload(image: string, param: string, id: string, asker: Asker): Promise<SentImage> {
    const isPlain = !isDataUri(image);
    if (isPlain && /^https?:/i.test(image))
      throw badImage(param, "expected base64 or a data URI; URLs are not fetched here");
    const url = isPlain ? `data:;base64,${image}` : image;
    const read = await this.#source.read({ url, param }, asker.signal);
    const receiver = { id, limits: NO_LIMITS, param };
    return await sendable(read, receiver, this.#refitter, this.#source, asker);
  }

  async #inlineAll(
    images: readonly Image[],
    id: string,
    limits: ImageLimits,
    asker: Asker,
  ): Promise<void> {
    const left = images.filter(({ part }) => this.#inlined.get(part)?.limits !== limits);
    const unread = left.filter(({ part }) => !this.#fetched.has(part));
    const references = unread.map(({ part, param }) => ({ url: part.image_url.url, param }));
    const read = await this.#source.readAll(references, asker.signal);
    const fresh = new Map(unread.map(({ part }, at) => [part, read[at]]));
    for (const { part, param } of left) {
      const image = this.#fetched.get(part) ?? fresh.get(part);
      if (image === undefined) throw new Error("an image was lost");
      const given = part.image_url.url;
      if (!isDataUri(given)) this.#fetched.set(part, image);
      const receiver = { id, limits, param };
      const { type, bytes } = await sendable(image, receiver, this.#refitter, this.#source, asker);
      const url = isPlain(given, type, bytes, image) ? given : dataUri(type, bytes);
      this.#inlined.set(part, { url, limits });
    }
  }

  #withInlined(message: Message, own: ReadonlySet<ImagePart>): Message {
    if (message.role !== "user" || typeof message.content === "string") return message;
    const content = message.content.map((part) => {
      if (part.type !== "image_url" || !own.has(part)) return part;
      const url = this.#inlined.get(part)?.url ?? part.image_url.url;
      return { ...part, image_url: { ...part.image_url, url } };
    });
    return { ...message, content };
  }
}

/** Whether the URI that was given is the one that would be made of these bytes; making it costs more than looking. */
function isPlain(given: string, type: string, bytes: Uint8Array, image: CheckedImage): boolean {
  if (bytes !== image.bytes) return false;
  const head = `data:${type};base64,`;
  return given.startsWith(head) && given.length === head.length + Math.ceil(bytes.length / 3) * 4;
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
