import { ChatRequest } from "../../contract/chat.ts";
import { GatewayError } from "../../contract/errors.ts";
import { unknownFields } from "../../contract/unknown-fields.ts";
import type { ImageReference } from "../../images/source.ts";

/**
 * The images to read: those that were sent since the last answer.
 * @throws GatewayError 400 where there are none
 */
export function askedImages({
  messages,
}: Pick<ChatRequest, "messages">): readonly ImageReference[] {
  const since = messages.findLastIndex(({ role }) => role === "assistant") + 1;
  const images = messages.slice(since).flatMap((message, offset) => {
    if (message.role !== "user" || typeof message.content === "string") return [];
    return message.content.flatMap((part, index) =>
      part.type === "image_url"
        ? [
            {
              url: part.image_url.url,
              param: `messages[${since + offset}].content[${index}].image_url.url`,
            },
          ]
        : [],
    );
  });
  if (images.length > MOST) throw invalid(`at most ${MOST} images are read at once`);
  if (images.length > 0) return images;
  throw invalid(
    'this model reads the text in images, and there is none after the last answer. Send one in a user\'s message: {"type": "image_url", "image_url": {"url": "https://… or data:image/png;base64,…"}}',
  );
}

const MOST = 16;

function invalid(why: string): GatewayError {
  return new GatewayError("invalid_request", `Invalid value for 'messages': ${why}.`, {
    param: "messages",
    fault: "request",
  });
}

/** Most characters the answer may have; null for all there are. */
export function mostCharacters(request: ChatRequest): number | null {
  return request.max_completion_tokens ?? request.max_tokens ?? null;
}

/** Parameters that make a difference here, or to the gateway. */
const HONOURED: ReadonlySet<string> = new Set([
  ...["model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"],
  ...["ocr", "user", "metadata", "prompt_cache_key", "safety_identifier"],
]);
/** What asks for nothing that is not done anyhow. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  logprobs: [false],
  top_logprobs: [0],
  store: [false],
  service_tier: ["auto", "default"],
};

/** Parameters of this request that can't be honoured: text is read as it is, whatever they say. */
export function unsupportedOcr(request: { readonly [name: string]: unknown }): readonly string[] {
  return Object.entries(request)
    .filter(([name, value]) => value !== null && value !== undefined && !HONOURED.has(name))
    .filter(([name, value]) => !(NEUTRAL[name]?.includes(value) ?? false))
    .map(([name]) => name);
}

/** What fields inside of a request say to nobody: `ocr.lang`. Every image is read in all its detail. */
export function unreadByOcr({ ocr, messages }: Pick<ChatRequest, "ocr" | "messages">): string[] {
  const { ocr: asked, messages: said } = ChatRequest.shape;
  const unread = [
    ...unknownFields(asked, ocr, "ocr"),
    ...unknownFields(said, messages, "messages"),
  ];
  return messages.some(isCoarse) ? [...unread, "messages.content.image_url.detail"] : unread;
}

function isCoarse({ content }: ChatRequest["messages"][number]): boolean {
  if (!Array.isArray(content)) return false;
  return content.some((part) => part.type === "image_url" && part.image_url.detail === "low");
}

/** @throws GatewayError 400 for what would make another answer than the one that was asked for */
export function refuseOcr({ n }: Pick<ChatRequest, "n">): void {
  if (n === undefined || n === null || n === 1) return;
  throw new GatewayError("invalid_request", "This model does not support 'n' other than 1.", {
    param: "n",
    fault: "unsupported",
  });
}
