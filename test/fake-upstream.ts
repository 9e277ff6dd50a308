import { answerBody, type Piece, pieces } from "./fake-answers.ts";

/**
 * An upstream that speaks OpenAI's dialect over a real socket, faults included. What it does is
 * named by the model that is asked for, so that tests can run side by side:
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
  readonly url: string;
  readonly requests: { readonly headers: Headers; readonly body: Record<string, unknown> }[];
  /** Requests whose client went away before their end. */
  cancelled: number;
  /** Requests that are being answered now. */
  open: number;
  /** Bytes of streams that were taken from it. */
  sentBytes: number;
  /** Resolves once so many requests have been cut off in all. */
  untilCancelled(count: number): Promise<void>;
  /** How many requests had this text as their last message or prompt. */
  asked(text: string): number;
  close(): Promise<void>;
}

/** What is in every error that the upstream sends: a key that must go no further. */
export const UPSTREAM_SECRET = "sk-upstream-secret";

export function fakeUpstream(): FakeUpstream {
  const requests: FakeUpstream["requests"] = [];
  const waiting = new Set<() => void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const body = (await request.json()) as Record<string, unknown>;
      requests.push({ headers: request.headers, body });
      upstream.open += 1;
      let open = true;
      const ended = (cut: boolean): void => {
        if (!open) return;
        open = false;
        upstream.open -= 1;
        if (cut) upstream.cancelled += 1;
        for (const check of waiting) check();
      };
      request.signal.addEventListener("abort", () => ended(true), { once: true });
      const answer = await reply(upstream, request, body, ended);
      if (answer.headers.get("content-type") !== "text/event-stream") ended(false);
      return answer;
    },
  });
  const upstream: FakeUpstream = {
    url: `http://127.0.0.1:${server.port}/v1`,
    requests,
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
    asked: (text) => requests.filter(({ body }) => textOf(body) === text).length,
    close: () => server.stop(true),
  };
  return upstream;
}

async function reply(
  upstream: FakeUpstream,
  request: Request,
  body: Record<string, unknown>,
  ended: (cut: boolean) => void,
): Promise<Response> {
  const path = new URL(request.url).pathname;
  const [behaviour = "echo", argument = "", more = ""] = String(body.model).split("-");
  const key = request.headers.get("authorization")?.slice("Bearer ".length) ?? "none";
  if (behaviour === "status") {
    await Bun.sleep(Number(more));
    return errorAnswer(Number(argument), key);
  }
  if (behaviour === "flaky" && upstream.asked(textOf(body)) <= Number(more)) {
    return errorAnswer(Number(argument), key, "1");
  }
  if (behaviour === "html") {
    return new Response(`<html>Bad gateway ${UPSTREAM_SECRET}</html>`, {
      status: Number(argument),
    });
  }
  if (behaviour === "redirect") {
    const location = `http://127.0.0.1:${argument}${path}`;
    return new Response(null, { status: 307, headers: { location } });
  }
  if (behaviour === "not") return new Response("<!doctype html>");
  if (behaviour === "slow") await Bun.sleep(Number(argument));
  const chat = path.endsWith("/chat/completions");
  const wanted = { behaviour, argument, chat, texts: textsOf(body) };
  if (body.stream !== true) return Response.json(answerBody(wanted));
  const size = behaviour === "cut" ? Number(argument) : 0;
  return new Response(streamed(upstream, pieces(wanted), size, ended), {
    headers: { "content-type": "text/event-stream" },
  });
}

const RETRY_AFTER: Record<number, string> = { 429: "7", 503: "3" };

/** As some upstreams do, it repeats the key that it was sent. */
function errorAnswer(status: number, key: string, retryAfter = RETRY_AFTER[status]): Response {
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { "retry-after": retryAfter };
  const message = `upstream says ${status}, key ${key}, another ${UPSTREAM_SECRET}`;
  return Response.json({ error: { message, type: "x" } }, { status, headers });
}

/** What to answer with: the last message's text, or each prompt's. */
function textsOf(body: Record<string, unknown>): readonly string[] {
  if (Array.isArray(body.messages)) return [String(body.messages.at(-1)?.content)];
  return Array.isArray(body.prompt) ? body.prompt.map(String) : [String(body.prompt)];
}

function textOf(body: Record<string, unknown>): string {
  return textsOf(body).join();
}

function streamed(
  upstream: FakeUpstream,
  source: AsyncIterator<Piece>,
  size: number,
  ended: (cut: boolean) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      try {
        const step = await source.next();
        if (step.done) {
          ended(false);
          controller.close();
          return;
        }
        const bytes = encoder.encode(step.value);
        upstream.sentBytes += bytes.byteLength;
        if (size === 0) controller.enqueue(bytes);
        for (let i = 0; size > 0 && i < bytes.length; i += size) {
          controller.enqueue(bytes.subarray(i, i + size));
          await Bun.sleep(0);
        }
      } catch {
        // `breaks`: the socket is closed. An error given here would only be printed.
        ended(false);
        controller.error();
      }
    },
    cancel: () => ended(true),
  });
}
