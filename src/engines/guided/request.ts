import type { z } from "zod";
import { boundedJson, MAX_DEPTH } from "../../contract/bounds.ts";
import type { ChatRequest } from "../../contract/chat.ts";
import type { CompletionRequest } from "../../contract/completions.ts";
import { GatewayError } from "../../contract/errors.ts";
import { OtherGuides, StructuredOutputs } from "./other-names.ts";
import type { GuideSpec } from "./spec.ts";

/** What an answer must be, as a request says it. */
export interface AskedGuide {
  readonly name: string;
  readonly spec: GuideSpec;
  /** Where in the request the spec is. */
  readonly path: string;
}

/**
 * What a request's answer must be, or null. Nothing of it is tried yet: see check.ts.
 * @throws GatewayError invalid_request, its `param` the name of what can't be read
 */
export function guideAsked(request: ChatRequest | CompletionRequest): AskedGuide | null {
  const [first, second] = askedOf(request);
  if (first === undefined) return null;
  if (second !== undefined)
    throw invalid(
      `An answer has one form: at most one of guided_json, guided_regex, guided_choice, guided_grammar, response_format and what other engines call them may be sent; got '${first.name}' and '${second.name}'.`,
      second.name,
    );
  return first;
}

function askedOf(request: ChatRequest | CompletionRequest): AskedGuide[] {
  const { guided_json, guided_regex, guided_choice, guided_grammar } = request;
  const others = othersOf(request);
  const { json, regex, choice, grammar, json_object } = others.structured_outputs ?? {};
  const { response_format: format } = request;
  const asked: AskedGuide[] = [];
  const add = (name: string, spec: GuideSpec, path = name): void => {
    asked.push({ name, spec, path });
  };
  const within = (name: string): string => `structured_outputs.${name}`;
  for (const [name, schema] of [
    ["guided_json", guided_json],
    ["json_schema", others.json_schema],
    [within("json"), json],
  ] as const)
    if (schema != null) add(name, { kind: "json_schema", schema: parsed(schema, name) });
  for (const [name, pattern] of [
    ["guided_regex", guided_regex],
    ["regex", others.regex],
    ["regex_pattern", others.regex_pattern],
    [within("regex"), regex],
  ] as const)
    if (pattern != null) add(name, { kind: "regex", pattern });
  for (const [name, choices] of [
    ["guided_choice", guided_choice],
    [within("choice"), choice],
  ] as const)
    if (choices != null) add(name, { kind: "choice", choices });
  // llama.cpp's own server takes an empty one for none.
  for (const [name, source] of [
    ["guided_grammar", guided_grammar],
    ["grammar", others.grammar],
    ["ebnf", others.ebnf],
    ["grammar_string", others.grammar_string],
    [within("grammar"), grammar],
  ] as const)
    if (source != null && !(name === "grammar" && source === "")) {
      add(name, { kind: "grammar", source });
    }
  if (json_object === true) add(within("json_object"), { kind: "json_object" });
  if (format?.type === "json_schema") {
    const { schema } = format.json_schema;
    add("response_format", { kind: "json_schema", schema }, "response_format.json_schema.schema");
  }
  if (format?.type === "json_object")
    if (format.schema === undefined) add("response_format", { kind: "json_object" });
    else
      add(
        "response_format",
        { kind: "json_schema", schema: format.schema },
        "response_format.schema",
      );
  if (!asked.some(({ name }) => name.startsWith(within(""))))
    for (const [name, value] of Object.entries(others.structured_outputs ?? {}))
      if (value != null && !(name in StructuredOutputs.shape)) throw nothingKnown(within(name));
  return asked;
}

function nothingKnown(path: string): GatewayError {
  const known = Object.keys(StructuredOutputs.shape).filter((name) => name !== "structural_tag");
  return invalid(
    `'${path}' is nothing that an answer can be made to fit: 'structured_outputs' has one of ${known.join(", ")}.`,
    path,
  );
}

/** @throws GatewayError 400: what stands under one of these names can't be read */
function othersOf(request: object): z.infer<typeof OtherGuides> {
  const read = OtherGuides.safeParse(request);
  if (read.success) return read.data;
  const path = (read.error.issues[0]?.path ?? []).map(String).join(".");
  throw invalid(`'${path}' is nothing that an answer can be made to fit.`, path);
}

const MOST_SCHEMA_TEXT = 1024 * 1024;

/** A schema may come as a text. */
function parsed(schema: unknown, name: string): unknown {
  if (typeof schema !== "string") return schema;
  if (schema.length > MOST_SCHEMA_TEXT)
    throw invalid(`'${name}' is longer than ${MOST_SCHEMA_TEXT} characters.`, name);
  const value = boundedJson(schema);
  if (value !== undefined) return value;
  throw invalid(`'${name}' is a text, but no JSON of at most ${MAX_DEPTH} levels.`, name);
}

function invalid(message: string, param: string): GatewayError {
  return new GatewayError("invalid_request", message, { param });
}
