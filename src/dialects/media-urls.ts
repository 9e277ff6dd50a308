import { GatewayError } from "../contract/errors.ts";
import type { Message } from "../contract/messages.ts";
import { isDataUri } from "../images/data-uri.ts";

/** A URL of something that is no image. */
export interface MediaUrl {
  readonly url: string;
  /** Its path in the request. */
  readonly param: string;
}

/** The URLs of videos and files in messages, which a server would fetch. */
export function mediaUrlsOf(messages: readonly Message[]): MediaUrl[] {
  const found: MediaUrl[] = [];
  for (const [i, message] of messages.entries()) {
    if (message.role !== "user" || typeof message.content === "string") continue;
    for (const [j, part] of message.content.entries()) {
      const at = `messages[${i}].content[${j}]`;
      if (part.type === "video_url" && !isDataUri(part.video_url.url)) {
        found.push({ url: part.video_url.url, param: `${at}.video_url.url` });
      }
      // Base64, a data URI, or at some servers a URL.
      const data = part.type === "file" ? part.file.file_data : undefined;
      if (data !== undefined && /^[a-z][a-z0-9+.-]*:\/\//i.test(data)) {
        found.push({ url: data, param: `${at}.file.file_data` });
      }
    }
  }
  return found;
}

/** A server on a private address would fetch it from inside the network. Another one may not be there. */
export function unfetchedMedium(param: string, provider: string): GatewayError {
  return new GatewayError(
    "invalid_request",
    `Invalid value for '${param}': '${provider}' must not fetch URLs of videos and files; send a data URI.`,
    { param, fault: "unsupported" },
  );
}
