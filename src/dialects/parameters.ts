import { own } from "../lib/own.ts";
import type { JsonObject, ProviderSettings, Target } from "../types.ts";
import { fieldsOf } from "./fields.ts";
import { isNeutral } from "./neutral.ts";
import { translate } from "./translations.ts";

/** Other names of parameters, by ours. */
const ALIASES: Record<string, string> = {
  mirostat_mode: "mirostat",
  dry_penalty_last_n: "dry_range",
};

/** Fields that ask something of the gateway, never of an upstream. */
const OURS = [
  ...["models", "provider", "route", "plugins", "chat_template", "transforms", "session_id"],
  ...["usage", "stream_options"],
];

/**
 * Fields with which a cluster's own parts tell an engine where to fetch a prompt's cache from: from a
 * caller they would make it connect to any host inside the network. Never sent, and told as dropped.
 */
const CLUSTER = new Set([
  ...["kv_transfer_params", "bootstrap_host", "bootstrap_port", "bootstrap_room"],
  ...["bootstrap_pair_key", "disaggregated_params"],
]);

/** Parameters of OpenAI's own API: the only defaults that an unknown kind of server is sent. */
const STANDARD = new Set(["temperature", "top_p"]);

export interface Parameters {
  /** The request's fields, under the server's names. */
  readonly body: JsonObject;
  /** Names of what it asked for and this server can't do. */
  readonly dropped: readonly string[];
}

/**
 * A request's fields under the names its server knows, as the provider's file says; what it does not
 * name is kept as it came. Sampling that neither the request nor the model's file decides is sent as the
 * provider's file has it, since engines' own defaults differ. Pure.
 */
export function translateParameters(
  provider: ProviderSettings,
  target: Target,
  request: JsonObject,
): Parameters {
  const { parameters, explicit, quirks, sampling_defaults } = provider.file;
  const asked = canonical(request);
  const dropped: string[] = [];
  const reasoning = translateReasoning(provider, asked);
  if (reasoning === "dropped") dropped.push("reasoning");
  const wanted = withDefaults(asked, explicit, target, sampling_defaults === "engine");
  const off = explicit.top_k;
  if (off !== undefined && isOff(wanted.top_k)) wanted.top_k = off;
  const body: JsonObject = {};
  const translated: (readonly [path: string, value: unknown])[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    if (CLUSTER.has(name)) {
      dropped.push(name);
      continue;
    }
    const known = own(parameters, name);
    if (known === undefined || known === name) body[name] = value;
    else if (known === false) {
      if (asked[name] !== undefined && !isNeutral(asked, name)) dropped.push(name);
    } else if (known.includes(":")) {
      const sent = isNeutral(wanted, name) ? [] : translate(known, value, wanted, provider);
      if (sent === null) dropped.push(name);
      else translated.push(...sent);
    } else translated.push([known, value]);
  }
  for (const [path, value] of translated) put(body, path, value);
  const format = fieldsOf(body.response_format);
  if (format?.type === "json_schema" && quirks.json_schema !== "enforced") {
    if (quirks.json_schema === "json_object") body.response_format = { type: "json_object" };
    else delete body.response_format;
    dropped.push(asked.response_format === undefined ? "guided_json" : "response_format");
  }
  return { body, dropped };
}

/** What was said, under our names: no nulls, which mean "as usual", and nothing of the gateway's own. */
function canonical(request: JsonObject): JsonObject {
  const asked: JsonObject = {};
  for (const [name, value] of Object.entries(request)) {
    if (value === null || value === undefined || OURS.includes(name)) continue;
    const ours = own(ALIASES, name) ?? name;
    if (ours === name || request[ours] === undefined || request[ours] === null) asked[ours] = value;
  }
  if (asked.max_completion_tokens !== undefined) delete asked.max_tokens;
  const format = schemaFormat(asked.response_format);
  if (format !== null) asked.response_format = format;
  return asked;
}

/** `json_object` with a schema, llama.cpp's and Together's form, as the one that more servers read; null for any other. */
function schemaFormat(sent: unknown): JsonObject | null {
  const format = fieldsOf(sent);
  const schema = format?.type === "json_object" ? fieldsOf(format.schema) : null;
  return schema === null ? null : { type: "json_schema", json_schema: { name: "answer", schema } };
}

/** Whether an answer's format is asked for that JSON alone is not. */
export function asksForSchema(sent: unknown): boolean {
  return fieldsOf(sent)?.type === "json_schema" || schemaFormat(sent) !== null;
}

/** The model's makers' values, then the provider's file's unless the engine's own are wanted, for what the request leaves open. */
function withDefaults(
  asked: JsonObject,
  explicit: Readonly<Record<string, number>>,
  target: Target,
  engineDecides: boolean,
): JsonObject {
  const all = { ...asked };
  const known = Object.keys(explicit).length > 0;
  for (const [name, value] of Object.entries(target.model.file.defaults)) {
    if (known || STANDARD.has(name)) all[name] ??= value;
  }
  if (!engineDecides) for (const [name, value] of Object.entries(explicit)) all[name] ??= value;
  return all;
}

/**
 * OpenRouter's `reasoning`, in place: as it is where the provider's file has it, else its effort as
 * `reasoning_effort`, where that is known. Says `dropped` when part of it is lost.
 */
function translateReasoning({ file }: ProviderSettings, asked: JsonObject): "dropped" | null {
  const reasoning = fieldsOf(asked.reasoning);
  if (reasoning === null || file.parameters.reasoning === "reasoning") return null;
  delete asked.reasoning;
  const { effort, max_tokens: budget, exclude, enabled } = reasoning;
  const sent = typeof effort === "string" && file.parameters.reasoning_effort !== false;
  if (sent) asked.reasoning_effort ??= effort;
  const asksMore = typeof budget === "number" || exclude === true || typeof enabled === "boolean";
  return asksMore || (typeof effort === "string" && !sent) ? "dropped" : null;
}

function isOff(topK: unknown): boolean {
  return topK === 0 || topK === -1;
}

/** Sets a field by its dotted path. What stands there already, under its own name, is kept. */
function put(body: JsonObject, path: string, value: unknown): void {
  const dot = path.indexOf(".");
  if (dot === -1) {
    body[path] = value;
    return;
  }
  const outer = path.slice(0, dot);
  const inner = { ...fieldsOf(body[outer]) };
  put(inner, path.slice(dot + 1), value);
  body[outer] = inner;
}
