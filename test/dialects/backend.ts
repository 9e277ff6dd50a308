import { ProviderFile } from "../../src/catalog/provider-file.ts";
import { targetOf } from "../../src/catalog/target.ts";
import { upstreamModel } from "../../src/catalog/upstream.ts";
import type {
  AttemptContext,
  Meter,
  ProviderSettings,
  Reply,
  StreamEvent,
  Target,
  TimeLimits,
} from "../../src/types.ts";

/** What the tests of the dialects hand to them: settings, a target, a context. */

export const LIMITS: TimeLimits = {
  connect: 2000,
  firstByte: 5000,
  firstToken: 5000,
  gap: 5000,
  answer: 5000,
};

export function settingsOf(
  file: object = {},
  more: Partial<Omit<ProviderSettings, "file">> = {},
): ProviderSettings {
  return {
    id: "fake",
    file: ProviderFile.parse({ name: "Fake", ...file }),
    baseUrl: "http://127.0.0.1:9/v1",
    keys: [],
    missingKey: null,
    concurrency: null,
    limits: LIMITS,
    ...more,
  };
}

/** The settings of a file in `catalog/providers/`. */
export async function catalogSettings(
  id: string,
  more: Partial<Omit<ProviderSettings, "file">> = {},
): Promise<ProviderSettings> {
  const url = new URL(`../../catalog/providers/${id}.toml`, import.meta.url);
  const file: object = Bun.TOML.parse(await Bun.file(url).text());
  return settingsOf(file, { id, ...more });
}

export function target(
  upstreamId = "m",
  known: Parameters<typeof targetOf>[3] & { defaults?: object } = {},
): Target {
  const { defaults = {}, ...more } = known;
  const model = upstreamModel(upstreamId, []);
  return targetOf({ ...model, file: { ...model.file, defaults } }, "fake", upstreamId, {
    contextLength: null,
    ...more,
  });
}

export interface TestContext extends AttemptContext {
  readonly controller: AbortController;
}

export function context(prefill: string | null = null): TestContext {
  const controller = new AbortController();
  const meter: Meter = {
    promptTokens: 0,
    completionTokens: 0,
    cachedTokens: 0,
    images: 0,
    imagesRead: 0,
    pixels: 0,
    progress: null,
    source: "none",
    startedAt: 0,
    firstTokenAt: 0,
    malformedEvents: 0,
    unseen: false,
    providerCost: null,
  };
  return {
    callId: "c1",
    controller,
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    meter,
    dropped: new Set(),
    keyId: "anonymous",
    prefill,
    notes: new Map(),
  };
}

export async function eventsOf(reply: Reply): Promise<StreamEvent[]> {
  if (reply.kind !== "stream") throw new Error("it did not stream");
  const events: StreamEvent[] = [];
  for await (const group of reply.events) events.push(...group);
  return events;
}

/** The body of an answer in one piece. */
export function bodyOf(reply: Reply): { [key: string]: unknown } {
  if (reply.kind !== "json") throw new Error("it streamed");
  return reply.body;
}

/** What a promise was rejected with. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** A server on a free port, with the bodies it got. */
export function serve(answer: (request: Request, body: string) => Response | Promise<Response>) {
  const seen: { path: string; headers: Headers; body: Record<string, unknown> }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const text = await request.text();
      seen.push({
        path: new URL(request.url).pathname,
        headers: request.headers,
        body: JSON.parse(text),
      });
      return answer(request, text);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    origin: `http://127.0.0.1:${server.port}`,
    seen,
    close: () => server.stop(true),
  };
}

export const sse = (text: string): Response =>
  new Response(text, { headers: { "content-type": "text/event-stream" } });

export const data = (...values: unknown[]): string =>
  values
    .map((value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`)
    .join("");
