import { boundedJson } from "../contract/bounds.ts";
import { GatewayError } from "../contract/errors.ts";
import type { JsonObject, ProviderSettings } from "../types.ts";
import { type Fields, fieldsOf } from "./fields.ts";

/** Fields of Ollama's own API (github.com/ollama/ollama/blob/main/docs/api.md), the rest are not sent. */
const CHAT = new Set([
  ...["model", "messages", "stream", "options", "format", "think", "tools", "keep_alive"],
  ...["logprobs", "top_logprobs"],
]);
const GENERATE = new Set([
  ...["model", "prompt", "stream", "options", "format", "think", "keep_alive", "raw"],
]);
/** What says nothing about the answer, so that its loss is none. */
const ABOUT_THE_CALLER = new Set([
  ...["user", "metadata", "store", "safety_identifier", "prompt_cache_key", "service_tier", "n"],
  ...["best_of", "echo"],
]);

/** The fields Ollama knows; tells the others. */
export function ollamaFields(
  body: JsonObject,
  chat: boolean,
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const known = chat ? CHAT : GENERATE;
  const kept: JsonObject = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (known.has(name)) kept[name] = value;
    else if (name === "response_format") {
      const format = formatOf(fieldsOf(value));
      if (format !== null) kept.format = format;
    } else if (!ABOUT_THE_CALLER.has(name) || value === true) dropped.push(name);
  }
  return { body: kept, dropped };
}

/** `response_format` as `format`: `json`, or the schema. */
function formatOf(format: Fields | null): unknown {
  if (format?.type === "json_object") return "json";
  if (format?.type !== "json_schema") return null;
  return fieldsOf(format.json_schema)?.schema ?? "json";
}

/** `think` takes true, false and levels. */
export function thinkOf(effort: unknown): unknown {
  if (effort === "none") return false;
  if (effort === "minimal") return "low";
  return effort === "xhigh" ? "high" : effort;
}

/**
 * Messages as Ollama has them: text beside a list of bare base64 images, arguments as objects, a tool's
 * answer under the tool's name.
 * @throws GatewayError for parts it can't be given
 */
export function ollamaMessages(provider: ProviderSettings, messages: unknown): Fields[] {
  const names = new Map<unknown, unknown>();
  const all: Fields[] = [];
  for (const [position, item] of (Array.isArray(messages) ? messages : []).entries()) {
    const message = fieldsOf(item);
    if (message === null) continue;
    const { text, images } = partsOf(provider, message.content, position);
    const out: Fields = { role: message.role, content: text };
    if (images.length > 0) out.images = images;
    const thought = message.reasoning ?? message.reasoning_content;
    if (typeof thought === "string" && thought !== "") out.thinking = thought;
    if (Array.isArray(message.tool_calls)) out.tool_calls = message.tool_calls.map(toolCall(names));
    if (message.role === "tool") {
      const name = names.get(message.tool_call_id) ?? message.name;
      if (name !== undefined) out.tool_name = name;
    }
    all.push(out);
  }
  return all;
}

function toolCall(names: Map<unknown, unknown>): (item: unknown) => Fields {
  return (item) => {
    const call = fieldsOf(item);
    const told = fieldsOf(call?.function) ?? {};
    names.set(call?.id, told.name);
    return { function: { name: told.name, arguments: parsed(told.arguments) } };
  };
}

/** A model's arguments may be no JSON; what can't be read is passed on as it stands, in an object. */
function parsed(value: unknown): Fields {
  if (typeof value !== "string" || value.trim() === "") return {};
  return fieldsOf(boundedJson(value)) ?? { value };
}

const DATA_URI = /^data:[^,]*;base64,/i;

function partsOf(
  provider: ProviderSettings,
  content: unknown,
  position: number,
): { text: string; images: string[] } {
  if (!Array.isArray(content))
    return { text: typeof content === "string" ? content : "", images: [] };
  const images: string[] = [];
  let text = "";
  for (const item of content) {
    const part = fieldsOf(item);
    const url = fieldsOf(part?.image_url)?.url;
    if (typeof part?.text === "string") text += part.text;
    else if (typeof url === "string" && DATA_URI.test(url))
      images.push(url.slice(url.indexOf(",") + 1));
    else {
      throw new GatewayError(
        "invalid_request",
        `'${provider.id}' takes text and inlined images only, not a part of type '${String(part?.type)}'.`,
        { param: `messages[${position}].content`, fault: "unsupported" },
      );
    }
  }
  return { text, images };
}
