import { fields, messagesOf } from "./fake-asked.ts";

/** What `able` answers a schema with. */
export const ABLE_JSON = { city: "Paris", degrees: 21 };

/**
 * What a model that is able to do all does with a request: calls the function it is given, repeats
 * what the function said, keeps to a schema, looks at an image. `call`: it calls the function.
 */
export function ableAnswer(body: Record<string, unknown>): { call: boolean; text: string } {
  const last = messagesOf(body).at(-1);
  if (last?.role === "tool") return { call: false, text: `The tool said ${last.text}` };
  if (Array.isArray(body.tools) && body.tools.length > 0) return { call: true, text: "" };
  if (fields(body.response_format).type === "json_schema") {
    return { call: false, text: JSON.stringify(ABLE_JSON) };
  }
  const image = imageIn(body);
  return { call: false, text: image === null ? (last?.text ?? "") : `I see ${image}` };
}

/** `image/png of 68 bytes` for the data URI of the last message, its address for any other. */
function imageIn(body: Record<string, unknown>): string | null {
  const last = Array.isArray(body.messages) ? fields(body.messages.at(-1)) : {};
  if (!Array.isArray(last.content)) return null;
  const part = last.content.map(fields).find(({ type }) => type === "image_url");
  if (part === undefined) return null;
  const url = String(fields(part.image_url).url);
  const [, type, data] = /^data:([\w/]+);base64,(.+)$/.exec(url) ?? [];
  return data === undefined ? url : `${type} of ${Buffer.from(data, "base64").length} bytes`;
}
