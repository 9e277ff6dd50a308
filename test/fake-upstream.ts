import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { behave, type Outcome, plainAnswer, refusing } from "./fake-behaviour.ts";
import { echo, isEcho, textOf } from "./fake-echo.ts";
import { listing, modelsOf, tokens } from "./fake-listing.ts";
import { refusalIn, strictness } from "./fake-refusals.ts";
import { bodyOf, write } from "./fake-socket.ts";
import type { Dialect } from "./fake-styles.ts";
import { isUpscaling, upscaled, upscalerListing } from "./fake-upscale.ts";

export { UPSTREAM_SECRET } from "./fake-refusals.ts";
export { NOT_A_PREFIX, storyFor } from "./fake-story.ts";

/**
 * An upstream over a real socket, faults included. What it does is named by the model that is asked
 * for, so that tests can run side by side. A name is read from the left: changes, then what they are
 * done to; `dies-5-toolstory` is a `toolstory` that dies, `dies-5` a `story-40` that does.
 *
 *   story-<n>            n words made from the last user message (`storyFor`), a token-like piece an event;
 *                        honours max_tokens and stop; goes on after a prefill, or says `<<not-a-prefix>>`
 *   random-<n>           other words each time; after a prefill it goes on with words of its own
 *   toolstory            two tool calls in odd pieces, ids new each time (`toolArguments`)
 *   reasoning-<n>        a reasoning section, then the story
 *   hugechunk-<mb>       one event of so many MB among small ones
 *
 * changes (n counts events, the role's and the comments included; for whole answers in brackets):
 *
 *   dies-<n>             the socket is closed after n events (amid the body)
 *   toolcut-<n>          dies-<n>-toolstory
 *   halfevent-<n>        the socket is closed inside event n+1, inside a character if it has a wide one
 *   stalls-<n>           silent after n events, socket open (amid the body)
 *   stallscomments-<n>   the same, a comment every 100 ms
 *   ends-<n>             a clean end after n events (no finish reason)
 *   inband-<n>           an error event after n events (an error with status 200)
 *   inbandchunk-<n>      the same as OpenRouter does it, finish_reason "error" in a chunk
 *   malformed-<n>        a malformed event after n events, then on (no JSON)
 *   paced-<ms>           so long between two events
 *   slowtoken-<ms>       headers at once, the first event later, comments meanwhile
 *   nodone               no [DONE]
 *   nofinish             no finish reason, but all the rest
 *   nousage, zerousage, negativeusage, wrongmodel
 *   wrongtype            an HTML page with 200
 *   shortjson            a whole answer's body is cut off, its length was announced
 *   truncatedjson        the same, ended as if all were well
 *   trims                the white space at a prefill's end is lost, as in many chat templates
 *   prefillrefused       400 for a prefill
 *   once-<status>        that status for the first request of this text; cold-<status> says it is loading
 *   flapping-<k>         500 but for every k-th request
 *
 * on their own:
 *
 *   reset                the socket is closed before any header
 *   silence              nothing is ever said
 *   forever-<status>     that status
 *   contextlength-<dialect>, contentfilter-<dialect>   refused in that server's words
 *
 * and those that speak OpenAI's dialect only, and know no prefill:
 *
 *   echo                 answers with the last message's text, word by word
 *   slow-<ms>            the same, its first byte after so many milliseconds
 *   gap-<ms>             the same, so many milliseconds between two words
 *   endless-<ms>         words without end, one every so many milliseconds
 *   flood                events of 4 kB without end, as fast as they are taken
 *   cut-<bytes>          the same bytes as echo, written in pieces of so many bytes
 *   bare                 echo as some servers write it: no role, no logprobs, no refusal, no index,
 *                        `usage: null` and `system_fingerprint: null` beside every piece, the
 *                        usage in the same event as the finish reason
 *   forgets              echo whose stream says its finish reason and then neither ends nor says [DONE]
 *   uncounted            echo that never tells its usage
 *   tools                a call of the function `weather`, its arguments in pieces
 *   able                 that call where functions are given, then what the function said; JSON where a
 *                        schema is given; what an image is; else as echo
 *   breaks-<ms>          closes the socket so many milliseconds after the second word
 *   unfinished           ends without a finish reason, as if all were well
 *   error-<ms>           an error event so many milliseconds after the second word
 *   garbage              a malformed event between two good ones
 *   status-<code>-<ms>   an error in OpenAI's shape, at once or after so many milliseconds; 429 with
 *                        Retry-After 7, 503 with Retry-After 3
 *   flaky-<code>-<n>     that error with Retry-After 1 for the first n requests of the same text,
 *                        echo after them
 *   html-<code>          an error page
 *   redirect-<port>      307 to that port of this machine
 *   not-json             200 with a body that is not JSON
 */
export interface FakeUpstream {
  /** What its base URL is in a config. */
  readonly url: string;
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly requests: FakeRequest[];
  /** What was asked for with GET: path and query. */
  readonly lookups: string[];
  /** Requests whose client went away before their end. */
  cancelled: number;
  /** Requests that are being answered now. */
  open: number;
  /** Bytes of streams that were taken from it. */
  sentBytes: number;
  /** Resolves once so many requests have been cut off in all. */
  untilCancelled(count: number): Promise<void>;
  /** How many requests had this text as their last user message or prompt; of one model if it is named. */
  asked(text: string, model?: string): number;
  close(): Promise<void>;
}

export interface FakeRequest {
  readonly headers: Headers;
  readonly path: string;
  readonly body: Record<string, unknown>;
  /** `performance.now()` when it was read. */
  readonly at: number;
  /** When and how it ended; null while it runs. `left`: the client closed it. */
  ended: { readonly at: number; readonly how: "whole" | "cut" | "left" } | null;
}

export interface FakeOptions {
  /** Whose server it plays; then it knows its own models and endpoints only. */
  readonly dialect?: Dialect;
  /** Models in its list, beside the dialect's own. */
  readonly models?: readonly string[];
  /** Upscalers in its list of them, beside the dialect's own: `fake-upscale.ts` says what they do. */
  readonly upscalers?: readonly string[];
}

const PREFILLS_ALWAYS: readonly Dialect[] = ["llamacpp", "ollama", "openrouter"];

/** Begins to listen at once, on a free port. */
export function fakeUpstream(options: FakeOptions = {}): FakeUpstream {
  const dialect = options.dialect ?? "openai";
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    void serve(request, response).catch((error) => response.destroy(error));
  });
  // An idle connection that is closed under a client's hands would be one more fault.
  Object.assign(server, { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, timeout: 0 });
  server.listen(0, "127.0.0.1");
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the fake upstream has no port");
  const origin = `http://127.0.0.1:${address.port}`;
  const upstream: FakeUpstream = {
    url: dialect === "ollama" || dialect === "sdwebui" ? origin : `${origin}/v1`,
    origin,
    requests: [],
    lookups: [],
    cancelled: 0,
    open: 0,
    sentBytes: 0,
    untilCancelled: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (upstream.cancelled < count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    asked: (text, model) =>
      upstream.requests.filter(
        ({ body }) => textOf(body) === text && (model === undefined || body.model === model),
      ).length,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", origin);
    if (request.method !== "POST") {
      upstream.lookups.push(url.pathname + url.search);
      const { models = [], upscalers = [] } = options;
      const list =
        listing(dialect, url.pathname, modelsOf(dialect, models)) ??
        upscalerListing(dialect, url.pathname, upscalers);
      const answer =
        list === null ? refusalIn(dialect, 404, "Not Found") : { status: 200, body: list };
      await write(
        response,
        refusing(answer),
        () => undefined,
        () => undefined,
      );
      return;
    }
    const body = await bodyOf(request);
    const headers = new Headers(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const taken: FakeRequest = {
      headers,
      path: url.pathname,
      body,
      at: performance.now(),
      ended: null,
    };
    upstream.requests.push(taken);
    upstream.open += 1;
    const end = (how: "whole" | "cut" | "left"): void => {
      if (taken.ended !== null) return;
      taken.ended = { at: performance.now(), how };
      upstream.open -= 1;
      if (how === "left") upstream.cancelled += 1;
      for (const check of waiting) check();
    };
    // Also while it waits for its own answer, and once the last byte is written: whichever comes first.
    response.on("close", () => end("left"));
    const outcome = await outcomeOf(taken);
    if (outcome === "silence") return;
    if (outcome === "reset") {
      end("cut");
      request.socket.resetAndDestroy();
      return;
    }
    if (taken.ended !== null) return;
    await write(response, outcome, end, (piece) => {
      upstream.sentBytes += Buffer.byteLength(piece);
    });
  }

  async function outcomeOf({ headers, path, body }: FakeRequest): Promise<Outcome> {
    if (isUpscaling(dialect, path)) {
      const same = upstream.requests.filter((one) => one.body.upscaler_1 === body.upscaler_1);
      return await upscaled(dialect, body, options.upscalers ?? [], same.length);
    }
    const model = String(body.model);
    const ofModel = upstream.requests.filter((one) => one.body.model === body.model);
    const received = {
      dialect,
      path,
      body,
      rule: PREFILLS_ALWAYS.includes(dialect) ? ("always" as const) : ("flag" as const),
      nth: ofModel.length,
      nthOfText: upstream.asked(textOf(body), model),
    };
    const counted = tokens(dialect, path, body);
    if (counted === "missing") return refusing(refusalIn(dialect, 400, "Field required"));
    if (counted !== null) return refusing({ status: 200, body: counted });
    if (options.dialect !== undefined && !ENDPOINTS.test(path)) {
      return refusing(refusalIn(dialect, 404, "Not Found"));
    }
    const strict = strictness(dialect, body, path);
    if (strict !== null) return refusing(strict);
    const named = behave(received);
    if (named !== null) return named;
    if (options.dialect !== undefined) {
      const known = modelsOf(dialect, options.models ?? []).includes(model);
      if (known) return plainAnswer(received);
      if (!isEcho(model))
        return refusing(refusalIn(dialect, 404, `The model '${model}' does not exist.`));
    }
    return await echo(body, path, bearerOf(headers), received.nthOfText);
  }
  return upstream;
}

const ENDPOINTS = /^\/v1\/(chat\/)?completions$|^\/api\/(chat|generate)$/;

const bearerOf = (headers: Headers) =>
  headers.get("authorization")?.slice("Bearer ".length) ?? "none";
