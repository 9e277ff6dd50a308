import { boundedJson } from "../../contract/bounds.ts";
import type { JsonObject } from "../../types.ts";
import { embeddedData, isBase64 } from "./embedded.ts";
import type { Redactor } from "./redactor.ts";

/** What becomes of bytes that stood in a payload as base64: the text that takes their place. */
export type KeepBytes = (bytes: Uint8Array, mediaType: string) => string;

/** Fields whose texts are bytes in base64, at the providers and servers we know. */
const BYTES = new Set(["b64_json", "data", "file_data", "image", "images", "init_images", "mask"]);
const LEFT_OUT = "[left out]";

/**
 * A copy of a payload that may be written to a disk. Texts, names of fields and numbers are redacted; bytes
 * go to `keepBytes`; what carries text in pieces too small to be seen by a rule is left out: token
 * ids (any list of numbers), logprobs, embeddings.
 * @throws PatternError when a rule could not be applied
 */
export function clean(payload: JsonObject, redactor: Redactor, keepBytes: KeepBytes): JsonObject {
  const object = (value: object): JsonObject => {
    const copy: JsonObject = {};
    for (const [name, inner] of Object.entries(value)) {
      // A name that redaction made equal to another must not take its place.
      let shown = redactor.redact(name);
      while (shown !== name && shown in copy) shown += "'";
      Object.defineProperty(copy, shown, {
        value: field(name, inner),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return copy;
  };
  const field = (name: string, value: unknown): unknown => {
    if (name === "embedding") return LEFT_OUT;
    if (name === "logprobs" && typeof value === "object" && value !== null) return LEFT_OUT;
    if (typeof value === "string" && BYTES.has(name) && isBase64(value)) return bytesIn(value);
    if (typeof value === "string" && name === "arguments") return json(value);
    if (Array.isArray(value) && BYTES.has(name)) {
      return value.map((item: unknown) =>
        typeof item === "string" && isBase64(item) ? bytesIn(item) : any(item),
      );
    }
    return any(value);
  };
  const any = (value: unknown): unknown => {
    if (typeof value === "string") return text(value);
    if (typeof value === "number") {
      const shown = String(value);
      return redactor.finds(shown) ? redactor.redact(shown) : value;
    }
    if (typeof value !== "object" || value === null) return value;
    if (!Array.isArray(value)) return object(value);
    const items: readonly unknown[] = value;
    if (items.length > 0 && items.every((item) => typeof item === "number")) {
      return `[${items.length} numbers]`;
    }
    return items.map(any);
  };
  const bytesIn = (base64: string): string => keepBytes(Uint8Array.fromBase64(base64), "");
  const text = (value: string): string => {
    let result = "";
    let at = 0;
    for (const { from, to, mediaType, bytes } of embeddedData(value)) {
      result += redactor.redact(value.slice(at, from)) + keepBytes(bytes, mediaType);
      at = to;
    }
    return result + redactor.redact(value.slice(at));
  };
  /**
   * A tool's arguments are JSON in a text: what is escaped there is seen only when it is read, and what
   * is too deep to be read is left out.
   */
  const json = (value: string): unknown => {
    const parsed = boundedJson(value);
    if (parsed !== undefined) return text(JSON.stringify(any(parsed)));
    return isJson(value) ? LEFT_OUT : text(value);
  };
  return object(payload);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/**
 * The payload with its longest texts cut, so that its JSON has at most about `maxBytes`. Texts were
 * redacted before: half a secret would not be found.
 */
export function cut(payload: JsonObject, maxBytes: number): JsonObject {
  let left = maxBytes;
  const any = (value: unknown): unknown => {
    if (typeof value === "string") {
      const most = Math.max(0, left);
      left -= value.length + 3;
      if (value.length <= most) return value;
      return `${value.slice(0, most)}… [${value.length - most} characters more]`;
    }
    if (typeof value !== "object" || value === null) {
      left -= 8;
      return value;
    }
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const item of value) {
        if (left <= 0) break;
        items.push(any(item));
      }
      const missing = value.length - items.length;
      return missing === 0 ? items : [...items, `… [${missing} more]`];
    }
    const copy: [string, unknown][] = [];
    for (const [name, inner] of Object.entries(value)) {
      if (left <= 0) break;
      left -= name.length + 4;
      copy.push([name, any(inner)]);
    }
    return Object.fromEntries(copy);
  };
  return Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, any(value)]));
}
