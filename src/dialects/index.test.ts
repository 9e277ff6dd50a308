import { afterEach, describe, expect, test } from "bun:test";
import {
  bodyOf,
  context,
  data,
  eventsOf,
  LIMITS,
  serve,
  settingsOf,
  sse,
  target,
  thrown,
} from "../../test/dialects/backend.ts";
import type { ChatRequest } from "../contract/chat.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Backend, ProviderSettings, Reply } from "../types.ts";
import { createBackend, type DialectOptions } from "./index.ts";

/** A provider over a real socket: what it is sent, and what becomes of what it answers. */

let upstream: ReturnType<typeof serve>;
afterEach(() => upstream.close());

const MESSAGES: ChatRequest["messages"] = [{ role: "user", content: "hi" }];
const CHUNK = (content: string, finish: string | null = null): object => ({
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});
const WHOLE = { choices: [{ message: { content: "hello" }, finish_reason: "stop" }] };

function backend(
  answer: Parameters<typeof serve>[0],
  file: object = {},
  more: Partial<ProviderSettings> = {},
  options: DialectOptions = {},
): Backend {
  upstream = serve(answer);
  return createBackend(settingsOf(file, { baseUrl: upstream.url, ...more }), options);
}

function chat(
  { operations }: Backend,
  fields: object = {},
  call = context(),
  at = target(),
): Promise<Reply> {
  if (operations.chat === undefined) throw new Error("no chat");
  return operations.chat(at, { model: "m", messages: MESSAGES, ...fields }, call);
}

const failure = async (promise: Promise<unknown>): Promise<GatewayError> => {
  const error = await thrown(promise);
  if (error instanceof GatewayError) return error;
  throw error;
};

describe("keys", () => {
  const keys = ["key-one-11111111", "key-two-22222222"];
  const used = () => upstream.seen.map(({ headers }) => headers.get("authorization"));

  test("take turns", async () => {
    const provider = backend(() => Response.json(WHOLE), {}, { keys });
    for (let i = 0; i < 3; i++) await chat(provider);
    expect(used()).toEqual([keys[0], keys[1], keys[0]].map((key) => `Bearer ${key}`));
  });

  test("one that met a limit rests; another may be taken at once, and after all of them nothing is sent", async () => {
    const limited = () =>
      new Response("slow down", { status: 429, headers: { "retry-after": "60" } });
    const provider = backend(limited, {}, { keys });
    expect((await failure(chat(provider))).fault).toBe("key");
    const second = await failure(chat(provider));
    expect(second).toMatchObject({ kind: "overloaded", fault: "busy" });
    expect(Math.round(second.retryAfter ?? 0)).toBe(60);
    expect(new Set(used()).size).toBe(2);
    const { state, until = 0 } = provider.state(target());
    expect(state).toBe("unavailable");
    expect(until - performance.now()).toBeGreaterThan(55_000);
    expect(provider.state(target("other")).state).toBe("ready");
    expect((await failure(chat(provider))).fault).toBe("busy");
    expect(upstream.seen).toHaveLength(2);
  });

  test("limits of the whole provider rest all of them", async () => {
    const file = { quirks: { limits_by: "provider" } };
    const provider = backend(() => new Response("", { status: 429 }), file, { keys });
    expect((await failure(chat(provider))).fault).toBe("busy");
    expect(provider.state(target()).state).toBe("unavailable");
  });

  test("a refused key is not the caller's business", async () => {
    const refuse = () => Response.json({ error: { message: `bad ${keys[0]}` } }, { status: 401 });
    const provider = backend(refuse, { quirks: { auth: "x-api-key" } }, { keys: keys.slice(0, 1) });
    const error = await failure(chat(provider));
    expect([error.status, error.fault]).toEqual([502, "key"]);
    expect(error.message).not.toContain("one");
    expect(upstream.seen[0]?.headers.get("x-api-key")).toBe(keys[0] ?? "");
    expect(provider.state(target()).detail).not.toContain("key-one");
  });

  test("an error inside a stream rests the key as well", async () => {
    const error = { error: { message: "limit", code: 429 } };
    const provider = backend(() => sse(data(error)), {}, { keys });
    const reply = await chat(provider, { stream: true });
    expect((await failure(eventsOf(reply))).fault).toBe("key");
  });
});

describe("an answer of another kind than was asked for", () => {
  test("a whole one becomes a stream", async () => {
    const call = { id: "a", type: "function", function: { name: "f", arguments: "{}" } };
    const body = {
      choices: [{ message: { content: "hello", tool_calls: [call] }, finish_reason: "tool_calls" }],
      usage: { prompt_tokens: 3, completion_tokens: 2 },
    };
    const events = await eventsOf(
      await chat(
        backend(() => Response.json(body)),
        { stream: true },
      ),
    );
    expect(events).toMatchObject([
      {
        choices: [
          {
            delta: { role: "assistant", content: "hello", tool_calls: [{ index: 0, ...call }] },
            finish_reason: null,
          },
        ],
      },
      { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
    ]);
  });

  test("a stream becomes a whole one", async () => {
    const piece = (delta: object, finish: string | null = null) => ({
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    const events = data(
      piece({ role: "assistant", reasoning_content: "hm" }),
      piece({ content: "hel" }),
      piece({ content: "lo" }),
      piece({ tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: "{" } }] }),
      piece({ tool_calls: [{ index: 0, function: { arguments: "}" } }] }),
      piece({}, "stop"),
      "[DONE]",
    );
    expect(bodyOf(await chat(backend(() => sse(events))))).toMatchObject({
      choices: [
        {
          index: 0,
          finish_reason: "tool_calls",
          message: {
            role: "assistant",
            content: "hello",
            reasoning: "hm",
            reasoning_content: "hm",
            refusal: null,
            tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
          },
        },
      ],
    });
  });

  test.each([
    ["a web page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["no JSON", () => new Response("{oops", { headers: { "content-type": "application/json" } })],
    ["no choices", () => Response.json({ hello: 1 })],
    [
      "a redirect",
      () => new Response(null, { status: 307, headers: { location: "http://127.0.0.1:9" } }),
    ],
    ["an error that is well", () => Response.json({ error: { message: "no", code: 500 } })],
    [
      "a choice that was given up",
      () => Response.json({ choices: [{ message: {}, finish_reason: "error" }] }),
    ],
  ])("%s is a failure of the provider", async (_what, answer) => {
    const error = await failure(chat(backend(answer)));
    expect([error.kind, error.fault]).toEqual(["upstream_error", "broken"]);
  });
});

describe("usage that can't be right", () => {
  const usageOf = async (usage: unknown) =>
    bodyOf(await chat(backend(() => Response.json({ ...WHOLE, usage })))).usage;

  test.each([
    ["negative", { prompt_tokens: -1, completion_tokens: -5 }],
    ["none", undefined],
    ["zero", { prompt_tokens: 0, completion_tokens: 0 }],
    ["text", { prompt_tokens: "7", completion_tokens: "x" }],
    ["absurd", { prompt_tokens: 1e15, completion_tokens: 1e15 }],
  ])("%s is estimated", async (_what, usage) => {
    const estimated = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    expect(await usageOf(usage)).toMatchObject(estimated);
  });

  test("what a server says of its cache, its reasoning and its price is kept", async () => {
    const told = await usageOf({
      prompt_tokens: 100,
      completion_tokens: 9,
      prompt_tokens_details: { cached_tokens: 64 },
      completion_tokens_details: { reasoning_tokens: 4 },
      cost: 0.002,
    });
    expect(told).toMatchObject({
      cache_read_input_tokens: 64,
      completion_tokens_details: { reasoning_tokens: 4 },
      cost: 0.002,
    });
  });
});

describe("time limits", () => {
  const silent = () => new Promise<Response>(() => undefined);
  const stream =
    (text: string, more: (controller: ReadableStreamDefaultController) => void) => () =>
      new Response(
        new ReadableStream({
          start: (controller) => {
            controller.enqueue(new TextEncoder().encode(text));
            more(controller);
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      );
  const comments = (controller: ReadableStreamDefaultController): void => {
    const timer = setInterval(() => {
      try {
        controller.enqueue(new TextEncoder().encode(": on it\n\n"));
      } catch {
        clearInterval(timer);
      }
    }, 20);
  };
  const role = data({ choices: [{ index: 0, delta: { role: "assistant", content: "" } }] });

  test.each([
    ["an answer", silent, { answer: 150 }, false],
    ["a stream's headers", silent, { firstByte: 150 }, true],
    [
      "a stream's first token, whatever the comments",
      stream(role, comments),
      { firstToken: 250 },
      true,
    ],
    [
      "the next token, whatever the comments",
      stream(role + data(CHUNK("a")), comments),
      { gap: 250 },
      true,
    ],
  ])(
    "%s is not waited for longer than the provider may be silent",
    async (_what, answer, short, streams) => {
      const provider = backend(answer, {}, { limits: { ...LIMITS, ...short } });
      const began = performance.now();
      const error = await failure(
        chat(provider, { stream: streams }).then((reply) =>
          reply.kind === "stream" ? eventsOf(reply) : [],
        ),
      );
      expect([error.kind, error.fault]).toEqual(["upstream_timeout", "silent"]);
      expect(performance.now() - began).toBeLessThan(3000);
    },
  );
});

describe.each([false, true])("a caller that leaves (stream: %p)", (streams) => {
  test("ends the provider's work at once", async () => {
    const left = Promise.withResolvers<number>();
    const arrived = Promise.withResolvers<void>();
    const provider = backend((request) => {
      request.signal.addEventListener("abort", () => left.resolve(performance.now()));
      arrived.resolve();
      if (!streams) return new Promise<Response>(() => undefined);
      return new Response(
        new ReadableStream({
          start: (c) => c.enqueue(new TextEncoder().encode(data(CHUNK("a")))),
        }),
        { headers: { "content-type": "text/event-stream" } },
      );
    });
    const call = context();
    const gone = new GatewayError("client_closed", "gone");
    const ended = failure(
      chat(provider, { stream: streams }, call).then((reply) =>
        reply.kind === "stream" ? eventsOf(reply) : [],
      ),
    );
    await arrived.promise;
    await Bun.sleep(30);
    const began = performance.now();
    call.controller.abort(gone);
    expect(await ended).toBe(gone);
    expect((await left.promise) - began).toBeLessThan(100);
    expect(provider.state(target())).toEqual({ state: "ready", detail: null });
  });
});

describe("a begun answer", () => {
  const bodySent = async (
    continuation: object,
    fields: object = {},
    options: DialectOptions = {},
  ) => {
    const provider = backend(() => Response.json(WHOLE), { continuation }, {}, options);
    const reply = await chat(provider, fields, context("Once upon"));
    return { sent: upstream.seen[0], body: bodyOf(reply) };
  };
  const begun = { role: "assistant", content: "Once upon" };

  test("goes on from an assistant's message, as the provider's file says", async () => {
    const plain = await bodySent({ prefill: "assistant" });
    expect(plain.sent?.body.messages).toEqual([...MESSAGES, begun]);
    await upstream.close();
    const vllm = await bodySent({ prefill: "continue_final_message" });
    expect(vllm.sent?.body).toMatchObject({
      messages: [...MESSAGES, begun],
      continue_final_message: true,
      add_generation_prompt: false,
    });
    await upstream.close();
    const tabby = await bodySent({ prefill: "response_prefix" });
    expect(tabby.sent?.body).toMatchObject({ messages: MESSAGES, response_prefix: "Once upon" });
  });

  test("follows what the caller began itself, in one message", async () => {
    const messages = [...MESSAGES, { role: "assistant", content: "So: " }];
    const { sent } = await bodySent({ prefill: "assistant" }, { messages });
    expect(sent?.body.messages).toEqual([
      ...MESSAGES,
      { role: "assistant", content: "So: Once upon" },
    ]);
  });

  test("goes on as a completion of the rendered chat, and comes back as a chat", async () => {
    const provider = backend(
      () => Response.json({ choices: [{ text: " a time", finish_reason: "stop" }] }),
      { continuation: { completions: true } },
      {},
      { renderChat: () => "<user>hi<assistant>" },
    );
    const fields = { temperature: 0, max_completion_tokens: 9, tools: [] };
    const reply = await chat(provider, fields, context("Once upon"));
    expect(upstream.seen[0]).toMatchObject({
      path: "/v1/completions",
      body: { model: "m", prompt: "<user>hi<assistant>Once upon", temperature: 0, max_tokens: 9 },
    });
    expect(upstream.seen[0]?.body).not.toHaveProperty("messages");
    expect(bodyOf(reply)).toMatchObject({
      choices: [{ message: { role: "assistant", content: " a time" }, finish_reason: "stop" }],
    });
  });

  test.each([{}, { completions: true }])(
    "is refused where it can't go on: %p",
    async (continuation) => {
      expect((await failure(bodySent(continuation))).fault).toBe("unsupported");
      expect(upstream.seen).toEqual([]);
    },
  );
});

test("the request is the caller's, under the provider's names, with usage asked for", async () => {
  const file = { quirks: { developer_role: false }, headers: { "x-title": "Covey" } };
  const provider = backend(() => sse(data(CHUNK("a", "stop"), "[DONE]")), file);
  const messages = [{ role: "developer", content: "be brief" }, ...MESSAGES];
  const fields = { messages, stream: true, stream_options: { include_usage: false }, seed: 1 };
  await eventsOf(await chat(provider, fields));
  expect(upstream.seen[0]).toMatchObject({
    path: "/v1/chat/completions",
    body: {
      model: "m",
      messages: [{ role: "system", content: "be brief" }, ...MESSAGES],
      stream: true,
      stream_options: { include_usage: true },
      seed: 1,
    },
  });
  expect(upstream.seen[0]?.headers.get("x-title")).toBe("Covey");
});

test("an operation that the provider has no path for is refused before anything is sent", async () => {
  const provider = backend(() => Response.json({}), { paths: { completions: false } });
  const run = provider.operations.completions;
  const error = await failure(
    run?.(target(), { model: "m", prompt: "x" }, context()) ?? Promise.resolve(),
  );
  expect([error.status, error.fault, error.param]).toEqual([400, "unsupported", "model"]);
  expect(upstream.seen).toEqual([]);
});
