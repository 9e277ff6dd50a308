import { boundedJson } from "../contract/bounds.ts";
import { choiceToGbnf, choiceToRegex, regexToGbnf } from "../lib/gbnf.ts";
import type { JsonObject, ProviderSettings } from "../types.ts";

/** What is sent instead: the field (a dotted path) and its value. */
export type Sent = readonly (readonly [path: string, value: unknown])[];

/** A parameter in a server's own form; null where this value has none. */
type Translate = (value: unknown, request: JsonObject, provider: ProviderSettings) => Sent | null;

const strings = (value: unknown): readonly string[] | null =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string")
    ? value
    : null;

const byName: Record<string, Translate> = {
  "response_format:json_schema": (value) => {
    const schema = schemaOf(value);
    if (schema === null) return null;
    const format = { name: "answer", strict: true, schema };
    return [["response_format", { type: "json_schema", json_schema: format }]];
  },
  "regex:choice": (value, _request, { file }) => {
    const choices = strings(value);
    const path = file.parameters.guided_regex;
    return choices === null || typeof path !== "string" ? null : [[path, choiceToRegex(choices)]];
  },
  "grammar:choice": (value) => {
    const choices = strings(value);
    return choices === null ? null : [["grammar", choiceToGbnf(choices)]];
  },
  "grammar:regex": (value) => {
    const grammar = typeof value === "string" ? regexToGbnf(value) : null;
    return grammar === null ? null : [["grammar", grammar]];
  },
  "format:choice": (value) => {
    const choices = strings(value);
    return choices === null ? null : [["format", { type: "string", enum: choices }]];
  },
  // llama.cpp's range is to both sides of the temperature (its server's README).
  "dynatemp:range": (_value, request) => {
    const { dynatemp_min: least, dynatemp_max: most } = request;
    if (typeof most !== "number") return null;
    const min = typeof least === "number" ? least : 0;
    return [
      ["temperature", (min + most) / 2],
      ["dynatemp_range", Math.max(0, most - min) / 2],
    ];
  },
};

/** Translates one parameter by a name with a colon; null where that can't be done. */
export function translate(
  name: string,
  value: unknown,
  request: JsonObject,
  provider: ProviderSettings,
): Sent | null {
  return byName[name]?.(value, request, provider) ?? null;
}

/** A JSON Schema, given as an object or as text. */
function schemaOf(value: unknown): unknown {
  return typeof value === "string" ? (boundedJson(value) ?? null) : value;
}
