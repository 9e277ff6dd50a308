/**
 * An upstream that speaks OpenAI's dialect over a real socket, faults included. What it does is
 * named by the model that is asked for, so that tests can run side by side:
 *
 *   echo                 answers with the last message's text, word by word
 *   slow-<ms>            the same, its first byte after so many milliseconds
 *   gap-<ms>             the same, so many milliseconds between two words
 *   endless-<ms>         words without end, one every so many milliseconds
 *   cut-<bytes>          the same bytes as echo, written in pieces of so many bytes
 *   breaks               closes the socket after the second word
 *   unfinished           ends without a finish reason, as if all were well
 *   error-inside         an error event after the second word
 *   garbage              a malformed event between two good ones
 *   status-<code>        an error in OpenAI's shape; 429 with Retry-After 7
 *   html-<code>          an error page
 *   redirect             307 to another origin
 *   not-json             200 with a body that is not JSON
 */
export interface FakeUpstream {
  readonly url: string;
  readonly requests: { readonly headers: Headers; readonly body: Record<string, unknown> }[];
  /** Streams that were cut off by the gateway. */
  cancelled: number;
  /** Streams that are open now. */
  open: number;
  close(): Promise<void>;
}

const SECOND_WORD = 2;

export function fakeUpstream(): FakeUpstream {
  const requests: FakeUpstream["requests"] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const body = (await request.json()) as Record<string, unknown>;
      requests.push({ headers: request.headers, body });
      return reply(upstream, body, new URL(request.url).pathname);
    },
  });
  const upstream: FakeUpstream = {
    url: `http://127.0.0.1:${server.port}/v1`,
    requests,
    cancelled: 0,
    open: 0,
    close: () => server.stop(true),
  };
  return upstream;
}

async function reply(
  upstream: FakeUpstream,
  body: Record<string, unknown>,
  path: string,
): Promise<Response> {
  const [behaviour = "echo", argument = ""] = String(body.model).split("-");
  const chat = path.endsWith("/chat/completions");
  if (behaviour === "status") {
    const headers: Record<string, string> = argument === "429" ? { "retry-after": "7" } : {};
    return Response.json(
      { error: { message: `upstream says ${argument}, key sk-upstream-secret`, type: "x" } },
      { status: Number(argument), headers },
    );
  }
  if (behaviour === "html") {
    return new Response("<html>Bad gateway</html>", { status: Number(argument) });
  }
  if (behaviour === "redirect") {
    return new Response(null, { status: 307, headers: { location: "http://localhost:9/stolen" } });
  }
  if (behaviour === "not" && argument === "json") return new Response("<!doctype html>");
  if (behaviour === "slow") await Bun.sleep(Number(argument));
  const words = textOf(body, chat).split(/(?<= )/);
  const usage = {
    prompt_tokens: 7,
    completion_tokens: words.length,
    total_tokens: 7 + words.length,
  };
  if (body.stream !== true) {
    const choice = chat
      ? { message: { role: "assistant", content: words.join(""), refusal: null } }
      : { text: words.join("") };
    return Response.json({
      id: "upstream-id",
      object: chat ? "chat.completion" : "text_completion",
      created: 1,
      model: "upstream-model",
      choices: [{ index: 0, logprobs: null, finish_reason: "stop", ...choice }],
      usage,
    });
  }
  return new Response(streamed(upstream, behaviour, argument, words, usage, chat), {
    headers: { "content-type": "text/event-stream" },
  });
}

function textOf(body: Record<string, unknown>, chat: boolean): string {
  if (!chat) return String(body.prompt);
  const messages = body.messages as { content: unknown }[];
  return String(messages.at(-1)?.content);
}

async function* pieces(
  behaviour: string,
  argument: string,
  words: string[],
  usage: object,
  chat: boolean,
): AsyncGenerator<string> {
  const event = (choices: object[], more: object = {}) =>
    `data: ${JSON.stringify({ id: "upstream-id", object: "x", created: 1, model: "upstream-model", choices, ...more })}\n\n`;
  const piece = (text: string, finish: string | null = null) =>
    chat
      ? { index: 0, delta: finish === null ? { content: text } : {}, finish_reason: finish }
      : { index: 0, text, logprobs: null, finish_reason: finish };
  if (chat) {
    yield event([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]);
  }
  for (let i = 0; ; i++) {
    if (behaviour === "endless" || behaviour === "gap") await Bun.sleep(Number(argument));
    const word = behaviour === "endless" ? `${i} ` : words[i];
    if (word === undefined) break;
    yield event([piece(word)]);
    if (i + 1 !== SECOND_WORD) continue;
    if (behaviour === "breaks") throw new Error("breaks");
    if (behaviour === "unfinished") return;
    if (behaviour === "garbage") yield "data: {oops\n\n";
    if (behaviour === "error") {
      yield `data: ${JSON.stringify({ error: { message: "overloaded", code: 502 } })}\n\n`;
      return;
    }
  }
  yield event([piece("", "stop")]);
  yield event([], { usage });
  yield "data: [DONE]\n\n";
}

function streamed(
  upstream: FakeUpstream,
  behaviour: string,
  argument: string,
  words: string[],
  usage: object,
  chat: boolean,
): ReadableStream<Uint8Array> {
  const source = pieces(behaviour, argument, words, usage, chat);
  const size = behaviour === "cut" ? Number(argument) : 0;
  const encoder = new TextEncoder();
  upstream.open += 1;
  return new ReadableStream({
    async pull(controller) {
      try {
        const step = await source.next();
        if (step.done) {
          upstream.open -= 1;
          controller.close();
          return;
        }
        const bytes = encoder.encode(step.value);
        if (size === 0) controller.enqueue(bytes);
        for (let i = 0; size > 0 && i < bytes.length; i += size) {
          controller.enqueue(bytes.subarray(i, i + size));
          await Bun.sleep(0);
        }
      } catch (error) {
        upstream.open -= 1;
        controller.error(error);
      }
    },
    cancel() {
      upstream.open -= 1;
      upstream.cancelled += 1;
    },
  });
}
