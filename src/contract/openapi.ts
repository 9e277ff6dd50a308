import { z } from "zod";
import * as adminKeys from "./admin-keys.ts";
import * as analytics from "./analytics.ts";
import { ChatChunk, ChatRequest, ChatResponse } from "./chat.ts";
import { CompletionChunk, CompletionRequest, CompletionResponse } from "./completions.ts";
import { EmbeddingsRequest, EmbeddingsResponse } from "./embeddings.ts";
import { ErrorBody } from "./errors.ts";
import { errorExample, errorStatuses, errorsWith, REQUEST_EXAMPLES } from "./examples.ts";
import { Health, Readiness } from "./health.ts";
import { Message } from "./messages.ts";
import { ModelItem, ModelList } from "./models.ts";
import * as openRouter from "./openrouter.ts";
import type { Contract } from "./operations.ts";
import { ResponseFormat } from "./response-format.ts";
import {
  DetokenizeRequest,
  DetokenizeResponse,
  TokenizeRequest,
  TokenizeResponse,
} from "./tokenize.ts";
import { Tool, ToolCall, ToolCallDelta, ToolChoice } from "./tools.ts";
import { Usage } from "./usage.ts";

/** The schemas that are shared, by the name they have under `components`. */
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Call: analytics.CallItem,
  CallDetail: analytics.CallDetail,
  CallErrors: analytics.Errors,
  CallList: analytics.CallList,
  CallSeries: analytics.Series,
  CallTop: analytics.Top,
  CallTotals: analytics.Totals,
  ChatChunk,
  ChatRequest,
  ChatResponse,
  CompletionChunk,
  CompletionRequest,
  CompletionResponse,
  DetokenizeRequest,
  DetokenizeResponse,
  EmbeddingsRequest,
  EmbeddingsResponse,
  Error: ErrorBody,
  Health,
  Key: adminKeys.KeyItem,
  KeyCreate: adminKeys.KeyCreate,
  KeyList: adminKeys.KeyList,
  KeyMade: adminKeys.KeyMade,
  KeyUpdate: adminKeys.KeyUpdate,
  Latency: analytics.Latency,
  Message,
  Model: ModelItem,
  ModelList,
  OpenRouterChatChunk: openRouter.OpenRouterChatChunk,
  OpenRouterCompletionChunk: openRouter.OpenRouterCompletionChunk,
  OpenRouterError: openRouter.OpenRouterError,
  OpenRouterModel: openRouter.OpenRouterModel,
  OpenRouterStreamError: openRouter.OpenRouterStreamError,
  Readiness,
  ResponseFormat,
  TokenizeRequest,
  TokenizeResponse,
  Tool,
  ToolCall,
  ToolCallDelta,
  ToolChoice,
  Usage,
};

type Json = { [key: string]: unknown };

export interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

/** The OpenAPI 3.1 document of these endpoints. The same contracts give the same document, key for key. */
export function openapi(contracts: readonly Contract[], info: ApiInfo): Json {
  const paths: Record<string, Json> = {};
  for (const contract of contracts) {
    for (const path of [contract.path, ...(contract.aliases ?? [])]) {
      const item = paths[path] ?? {};
      item[contract.method.toLowerCase()] = operation(contract, path);
      paths[path] = item;
    }
  }
  return {
    openapi: "3.1.0",
    info: { ...info, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
    components: {
      schemas: components(),
      responses: errorResponses(),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An API key." },
      },
    },
  };
}

/** Headers of a request on a model that say where it is answered. */
const ROUTING_HEADERS: readonly Json[] = [
  header("x-covey-provider", "Pins the call to one provider, by its id."),
  header(
    "x-session-id",
    "Calls of one session go to the same target while it is well; the same as `session_id`.",
  ),
];

function header(name: string, description: string): Json {
  return { name, in: "header", required: false, description, schema: { type: "string" } };
}

function operation(contract: Contract, path: string): Json {
  const parameters = [
    ...pathParameters(path),
    ...queryParameters(contract),
    ...(contract.request === null ? [] : ROUTING_HEADERS),
  ];
  const body: Json = {
    operationId:
      path === contract.path ? contract.operation : `${contract.operation}_${pathSuffix(path)}`,
    summary: contract.summary,
    security: contract.auth === "none" ? [] : [{ bearer: [] }],
  };
  if (parameters.length > 0) body.parameters = parameters;
  if (contract.request !== null) {
    const example = REQUEST_EXAMPLES[contract.operation.replace("openrouter_", "")];
    body.requestBody = {
      required: true,
      content: {
        "application/json": {
          schema: reference(contract.request),
          ...(example === undefined ? {} : { example }),
        },
      },
    };
  }
  body.responses = { "200": success(contract), ...failures(contract) };
  return body;
}

function success(contract: Contract): Json {
  if (contract.mediaType !== undefined) {
    return {
      description: "Success.",
      content: { [contract.mediaType]: { schema: { type: "string" } } },
    };
  }
  const content: Record<string, Json> = {
    "application/json": { schema: reference(contract.response) },
  };
  if (contract.chunk !== undefined) {
    content["text/event-stream"] = {
      schema: {
        type: "string",
        description:
          "With `stream: true`: server-sent events, each `data:` line one chunk, the last one `data: [DONE]`. " +
          (contract.dialect === "openrouter"
            ? "A stream that fails ends in a chunk with an `error` instead."
            : "A stream that fails ends with an error object instead."),
        contentMediaType: "application/json",
        contentSchema: reference(contract.chunk),
      },
    };
  }
  return { description: "Success.", content };
}

/** The errors an endpoint can answer with; those without a caller or a body have fewer. */
function failures(contract: Contract): Record<string, Json> {
  if (contract.dialect === "openrouter") {
    const failure = { $ref: "#/components/responses/OpenRouterError" };
    return { "4XX": failure, "5XX": failure };
  }
  const result: Record<string, Json> = {};
  for (const status of errorStatuses()) {
    if (contract.auth === "none" && status !== 500 && status !== 503) continue;
    if (status === 403 && contract.auth === "admin") {
      result[status] = { $ref: "#/components/responses/Error403" };
      continue;
    }
    if (contract.request === null && [402, 403, 413, 415, 502, 504].includes(status)) continue;
    if (contract.auth === "admin" && [402, 429, 502, 504].includes(status)) continue;
    result[String(status)] = { $ref: `#/components/responses/Error${status}` };
  }
  return result;
}

function errorResponses(): Record<string, Json> {
  const result: Record<string, Json> = {
    OpenRouterError: {
      description: "The same failures in OpenRouter's dialect; the code is the status.",
      content: { "application/json": { schema: reference(openRouter.OpenRouterError) } },
    },
  };
  for (const status of errorStatuses()) {
    const names = errorsWith(status);
    result[`Error${status}`] = {
      description: names.join(", "),
      ...(status === 429 || status === 503
        ? { headers: { "Retry-After": { description: "Seconds.", schema: { type: "integer" } } } }
        : {}),
      content: {
        "application/json": {
          schema: { $ref: "#/components/schemas/Error" },
          examples: Object.fromEntries(names.map((name) => [name, { value: errorExample(name) }])),
        },
      },
    };
  }
  return result;
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function pathSuffix(path: string): string {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).join("_");
}

function queryParameters(contract: Contract): Json[] {
  if (contract.query === undefined) return [];
  return Object.entries(contract.query.shape).map(([name, field]) => ({
    name,
    in: "query",
    required: false,
    schema: jsonSchema(field),
  }));
}

function reference(schema: z.ZodType): Json {
  for (const [name, known] of Object.entries(SCHEMAS)) {
    if (known === schema) return { $ref: `#/components/schemas/${name}` };
  }
  return jsonSchema(schema);
}

function components(): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: "input",
    uri: (id) => `#/components/schemas/${id}`,
    override: tidy,
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, plain(schema)]));
}

function jsonSchema(schema: z.core.$ZodType): Json {
  return plain(z.toJSONSchema(schema, { io: "input", override: tidy }));
}

/** Leaves out what says nothing: the limits of JavaScript's integers, no properties, and JSON Schema's default of any others. */
function tidy({ jsonSchema: schema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.type === "integer") delete schema.multipleOf;
  if (Object.keys(schema.properties ?? { one: 1 }).length === 0) delete schema.properties;
  const others = schema.additionalProperties;
  if (typeof others === "object" && Object.keys(others).length === 0) {
    delete schema.additionalProperties;
  }
}

/** As data alone, without the address and dialect that stand on a schema of its own. */
function plain(schema: object): Json {
  const { $schema: _dialect, $id: _address, ...rest } = { $schema: "", $id: "", ...schema };
  return rest;
}
