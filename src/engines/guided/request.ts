import type { ChatRequest } from "../../contract/chat.ts";
import type { CompletionRequest } from "../../contract/completions.ts";
import { GatewayError } from "../../contract/errors.ts";
import { ResponseFormat } from "../../contract/response-format.ts";
import { machineOf } from "./guide.ts";
import { GuideError } from "./guide-error.ts";
import type { GuideSpec } from "./spec.ts";
import { joinPath, SpecError } from "./spec-error.ts";

/** What an answer must be, as a request says it. */
export interface AskedGuide {
  readonly name: string;
  readonly spec: GuideSpec;
  /** Where in the request the spec is. */
  readonly path: string;
}

/**
 * What a request's answer must be, or null. All of it is tried here, so that nothing which can't be
 * enforced reaches the model.
 * @throws GatewayError invalid_request, its `param` the path of what can't be used
 */
export function guideOf(request: ChatRequest | CompletionRequest): GuideSpec | null {
  const asked = guideAsked(request);
  if (asked === null) return null;
  checkGuide(asked.spec, asked.path);
  return asked.spec;
}

/** The same, not yet tried: for who tries it together with more. @throws GatewayError invalid_request */
export function guideAsked(request: ChatRequest | CompletionRequest): AskedGuide | null {
  const [first, second] = askedOf(request);
  if (first === undefined) return null;
  if (second !== undefined)
    throw invalid(
      `At most one of guided_json, guided_regex, guided_choice, guided_grammar and response_format may be sent; got '${first.name}' and '${second.name}'.`,
      second.name,
    );
  return first;
}

/** @param path where in the request the spec is @throws GatewayError as `guideOf` */
export function checkGuide(spec: GuideSpec, path: string): void {
  try {
    machineOf(spec);
  } catch (error) {
    if (error instanceof SpecError) throw invalid(error.message, joinPath(path, error.path));
    if (error instanceof GuideError) throw invalid(error.message, path);
    throw error;
  }
}

function askedOf(request: ChatRequest | CompletionRequest): AskedGuide[] {
  const { guided_json, guided_regex, guided_choice, guided_grammar } = request;
  const format = ResponseFormat.safeParse(Reflect.get(request, "response_format")).data;
  const asked: AskedGuide[] = [];
  const add = (name: string, spec: GuideSpec, path = name): void => {
    asked.push({ name, spec, path });
  };
  if (guided_json != null) add("guided_json", { kind: "json_schema", schema: parsed(guided_json) });
  if (guided_regex != null) add("guided_regex", { kind: "regex", pattern: guided_regex });
  if (guided_choice != null) add("guided_choice", { kind: "choice", choices: guided_choice });
  if (guided_grammar != null) add("guided_grammar", { kind: "grammar", source: guided_grammar });
  if (format?.type === "json_object") add("response_format", { kind: "json_object" });
  if (format?.type === "json_schema") {
    const schema: unknown = format.json_schema.schema ?? {};
    add("response_format", { kind: "json_schema", schema }, "response_format.json_schema.schema");
  }
  return asked;
}

const MOST_SCHEMA_TEXT = 1024 * 1024;

/** A schema may come as a text. */
function parsed(schema: unknown): unknown {
  if (typeof schema !== "string") return schema;
  if (schema.length > MOST_SCHEMA_TEXT)
    throw invalid(`'guided_json' is longer than ${MOST_SCHEMA_TEXT} characters.`, "guided_json");
  try {
    return JSON.parse(schema);
  } catch {
    throw invalid("'guided_json' is a text, but no JSON.", "guided_json");
  }
}

function invalid(message: string, param: string): GatewayError {
  return new GatewayError("invalid_request", message, { param });
}
