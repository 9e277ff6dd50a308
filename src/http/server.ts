import { Hono } from "hono";
import type { Readiness } from "../contract/health.ts";
import { OPENROUTER, openRouterPaths } from "../contract/openrouter.ts";
import { CONTRACTS } from "../contract/operations.ts";
import { PLAYGROUND } from "../contract/playground.ts";
import { authenticate } from "../gateway/authenticate.ts";
import { clientRequestId, type Incoming } from "../gateway/call.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { answer } from "../gateway/pipeline.ts";
import type { Voice } from "../gateway/voices/voice.ts";
import { namingVoice } from "../gateway/voices/voice-images.ts";
import { voiceOf } from "../gateway/voices/voice-of.ts";
import { picturesVoice } from "../gateway/voices/voice-playground.ts";
import { timeOrderedId } from "../lib/id.ts";
import type { KeyStore, Operation } from "../types.ts";
import { mountAccount } from "./account.ts";
import { addressed, malformed } from "./address.ts";
import { mountAdminKeys } from "./admin-keys.ts";
import { type AnalyticsSide, mountAnalytics } from "./analytics.ts";
import { readJson } from "./body.ts";
import { allowOrigin, preflight } from "./cors.ts";
import { docs, welcome } from "./docs.ts";
import { health, readiness } from "./health.ts";
import { getModel, listModels } from "./models.ts";
import { mountOpenRouter, type ReadSide } from "./openrouter.ts";
import { mountOperating, type Operating } from "./operate.ts";
import { PICTURES, searchModels } from "./playground.ts";
import { callerOf, refuse } from "./refuse.ts";
import { placed, respond } from "./respond.ts";
import { KeepAlive } from "./sse.ts";
import { unknownEndpoint } from "./unknown.ts";
import { ENLARGING, mountUpscale, UPSCALE_PATHS } from "./upscale.ts";

export interface HttpOptions {
  readonly hostname: string;
  readonly port: number;
  readonly maxBodyBytes: number;
  readonly keepAliveMs: number;
  /** Seconds a connection may stay without a running request: a half-sent body, an idle keep-alive. */
  readonly idleConnectionS: number;
  /** The document served at `/openapi.json`. */
  readonly openapi: () => Promise<string>;
  readonly readiness: () => Readiness;
  readonly calls: ReadSide;
  readonly keys: KeyStore;
  /** Without it there are no metrics and no reload. */
  readonly operating?: Operating;
  /** Absent where there is no log to look into. */
  readonly analytics?: AnalyticsSide;
}

/** The operations that go down the pipeline; their contracts say where. */
const OPERATIONS: readonly Operation[] = [
  "chat",
  "completions",
  "embeddings",
  "tokenize",
  "detokenize",
  "upscale",
];

type Env = { Bindings: { server: Bun.Server<undefined> } };

/** The only place that knows the web framework: paths to handlers, nothing decided. */
export function createApp(gateway: Gateway, options: HttpOptions): Hono<Env> {
  const app = new Hono<Env>();
  const keepAlive = new KeepAlive(options.keepAliveMs);
  for (const operation of OPERATIONS) {
    for (const path of pathsOf(operation)) {
      app.post(path, async (c) => {
        const request = c.req.raw;
        const { server } = c.env;
        const call = incoming(gateway, request, path, options, server);
        const ended = (): void => server.timeout(request, options.idleConnectionS);
        return respond(request, await answer(gateway, operation, call), keepAlive, ended);
      });
    }
  }
  app.get(PLAYGROUND.search.path, (c) => searchModels(gateway, c.req.raw));
  app.get(PLAYGROUND.models.path, (c) => searchModels(gateway, c.req.raw));
  mountOpenRouter(
    (path, handler) => app.get(path, (c) => handler(c.req.raw)),
    gateway,
    options.calls,
  );
  mountAdminKeys(
    (path, handler) => app.get(path, (c) => handler(c.req.raw)),
    (path, handler) => app.post(path, (c) => handler(c.req.raw)),
    gateway,
    options.keys,
  );
  if (options.analytics !== undefined) {
    mountAnalytics(
      (path, handler) => app.get(path, (c) => handler(c.req.raw)),
      gateway,
      options.analytics,
    );
  }
  if (options.operating !== undefined) {
    mountOperating(
      (path, handler) => app.get(path, (c) => handler(c.req.raw)),
      (path, handler) => app.post(path, (c) => handler(c.req.raw)),
      gateway,
      options.operating,
    );
  }
  mountUpscale(
    (path, handler) => app.get(path, (c) => handler(c.req.raw)),
    (path, handler) => app.post(path, (c) => handler(c.req.raw)),
    gateway,
  );
  mountAccount((path, handler) => app.get(path, (c) => handler(c.req.raw)), gateway);
  app.get(CONTRACTS.models.path, (c) => listModels(gateway, c.req.raw));
  app.get(`${CONTRACTS.models.path}/*`, (c) => getModel(gateway, c.req.raw));
  app.get(CONTRACTS.health.path, () => health());
  app.get(CONTRACTS.ready.path, (c) =>
    readiness(options.readiness(), callerOf(gateway, c.req.raw) !== null),
  );
  app.get(CONTRACTS.openapi.path, async () => json(await options.openapi()));
  app.get("/", () => welcome());
  app.get("/docs/*", async (c) => (await docs(c.req.path)) ?? c.notFound());
  app.notFound((c) => refuse(gateway, c.req.raw, unknownEndpoint(c.req.raw)));
  app.onError((error, c) => refuse(gateway, c.req.raw, error));
  return app;
}

function pathsOf(operation: Operation): readonly string[] {
  if (operation === "upscale") return UPSCALE_PATHS;
  const { path } = CONTRACTS[operation];
  if (operation === "tokenize" || operation === "detokenize") return [path];
  const others = operation === "chat" ? [PLAYGROUND.chat.path, ...Object.keys(PICTURES)] : [];
  return [path, ...openRouterPaths(OPENROUTER[operation].path), ...others];
}

function incoming(
  gateway: Gateway,
  request: Request,
  endpoint: string,
  options: HttpOptions,
  server: Bun.Server<undefined>,
): Incoming {
  // Once its body is there our own timers watch the request; the server's would kill a slow answer.
  const stopServerTimer = (): void => server.timeout(request, 0);
  const body = () => readJson(request, options.maxBodyBytes, stopServerTimer);
  const meant = PICTURES[endpoint] ?? ENLARGING[endpoint];
  let sent: object = {};
  const voice = voiceTo(endpoint, () => sent);
  return {
    endpoint,
    voice: placed(request, voice),
    headers: request.headers,
    signal: request.signal,
    body:
      meant === undefined
        ? body
        : async () => {
            const { headers } = request;
            const caller = authenticate(headers, gateway.auth);
            const asked = await body();
            sent = Object(asked);
            return meant(gateway, caller, asked, headers);
          },
  };
}

/** Some errors depend on what was sent, once it is known. */
function voiceTo(endpoint: string, sent: () => object): Voice {
  if (endpoint in PICTURES) return picturesVoice(() => Array.isArray(Reflect.get(sent(), "image")));
  const voice = voiceOf(endpoint);
  return endpoint in ENLARGING
    ? namingVoice(voice, () => (Reflect.get(sent(), "model") ?? "") !== "")
    : voice;
}

function json(text: string): Response {
  return new Response(text, { headers: { "content-type": "application/json" } });
}

/** Starts listening. Throws the runtime's error when the port is taken. */
export function listen(gateway: Gateway, options: HttpOptions): Bun.Server<undefined> {
  const app = createApp(gateway, options);
  return Bun.serve({
    hostname: options.hostname,
    port: options.port,
    idleTimeout: options.idleConnectionS,
    // The limit is ours, in `body.ts`: the runtime's own would answer 413 without a body. What nobody
    // reads is thrown away as it comes (measured: 1 GB sent past the limit, 4 MB more memory).
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // The runtime's error page would show strangers our source.
    development: false,
    // Outside development the runtime lets two processes share a port, and each would get half the calls.
    reusePort: false,
    error: (error) => refuse(gateway, new Request("http://localhost/"), error),
    fetch: async (received, server) => {
      const request = addressed(received);
      if (request === null) return refuse(gateway, received, malformed());
      const { origins } = gateway.auth;
      const early = preflight(request, origins);
      if (early !== null) return early;
      const response = await app.fetch(request, { server });
      if (response.headers.get("x-request-id") === null) {
        response.headers.set(
          "x-request-id",
          clientRequestId(request.headers) ?? timeOrderedId("req-", Date.now()),
        );
      }
      return origins.size === 0 ? response : allowOrigin(request, response, origins);
    },
  });
}
