import { describe, expect, test } from "bun:test";
import { context, data, settingsOf } from "../../test/dialects/backend.ts";
import { ChatDelta } from "../contract/chat.ts";
import { GatewayError } from "../contract/errors.ts";
import { JsonLines } from "../lib/json-lines.ts";
import { Patience } from "../lib/patience.ts";
import { SseParser } from "../lib/sse-parse.ts";
import type { Meter, StreamEvent } from "../types.ts";
import { completionAsChat } from "./continuation.ts";
import type { Fields } from "./fields.ts";
import { ollamaAnswer } from "./ollama-answer.ts";
import { judge } from "./refusal.ts";
import { type Cutter, streamAnswer } from "./stream-answer.ts";

/** The same bytes give the same events, wherever they are cut, in every dialect. */

interface Way {
  readonly cutter: () => Cutter;
  readonly adapt: () => (fields: Fields) => Fields | null;
  readonly chat: boolean;
}
const CHAT: Way = { cutter: () => new SseParser(), adapt: () => (fields) => fields, chat: true };
const TEXT: Way = { ...CHAT, chat: false };
const RENDERED: Way = { ...CHAT, adapt: () => (fields) => completionAsChat(fields, false) };
const OLLAMA: Way = {
  cutter: () => new JsonLines(),
  adapt: () => {
    const read = ollamaAnswer(false);
    return (fields) => read(fields, false);
  },
  chat: true,
};

interface Told {
  readonly events: StreamEvent[];
  readonly error: string | null;
  readonly malformed: number;
  readonly meter: Pick<Meter, "promptTokens" | "completionTokens" | "source">;
}

async function read(way: Way, pieces: readonly Uint8Array[]): Promise<Told> {
  const provider = settingsOf();
  const call = context();
  call.meter.promptTokens = 5;
  call.meter.source = "estimated";
  const refuse = (body: unknown): GatewayError =>
    judge(provider, { status: null, body, retryAfter: null, prefill: false }).error;
  const reading = {
    provider,
    context: call,
    chat: way.chat,
    choices: 1,
    cutter: way.cutter(),
    adapt: way.adapt(),
    patience: new Patience(5000, () => undefined),
    refuse,
  };
  const left = [...pieces];
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
  const events: StreamEvent[] = [];
  let error: string | null = null;
  try {
    for await (const group of streamAnswer(reading, body)) events.push(...group);
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    error = `${thrown.kind} ${thrown.fault} ${thrown.message}`;
  }
  const { promptTokens, completionTokens, source, malformedEvents } = call.meter;
  return {
    events,
    error,
    malformed: malformedEvents,
    meter: { promptTokens, completionTokens, source },
  };
}

const chunk = (delta: object, more: object = {}): object => ({
  id: "x",
  object: "chat.completion.chunk",
  model: "theirs",
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});
const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

/** What a fixture is read as: its pieces in short, then the usage and the error. */
const EXPECTED: Record<string, string[]> = {
  "OpenAI's": ["+", "Grüße 🌍 ", "你好", "stop", "7+3 upstream"],
  "vLLM's tools": [
    "+",
    "",
    '0 call_a wetter {"ort":',
    '0  "Köln"}',
    "1 call_b zeit {}",
    "tool_calls",
    "5+3 estimated",
  ],
  "OpenRouter's comments and reasoning": ["+(Hm. )", "Ja.", "stop", "7+3 upstream"],
  "OpenRouter's error in a chunk": [
    "+so far",
    "upstream_error broken 'fake' broke off its answer: Provider disconnected",
  ],
  "llama.cpp's error field": [
    "+a",
    "upstream_error broken 'fake' broke off its answer: out of memory",
  ],
  "malformed events among good ones": ["+é", "ü", "stop", "5+2 estimated", "2 malformed"],
  "a completion's": ["né ", "o length", "7+3 upstream"],
  "a completion that is a chat's": ["+ weiß", "stop", "5+1 estimated"],
  "Ollama's": ["+Grüß", '0 call_c1_0 f {"a":"ß"}', "tool_calls", "11+4 upstream"],
  "Ollama's error": [
    "+a",
    "upstream_error broken 'fake' broke off its answer: model runner has unexpectedly stopped",
  ],
  "one that breaks off inside an event": ["+só", "1 malformed"],
};

function inShort({ events, error, malformed, meter }: Told): string[] {
  const lines = events.map(({ choices, usage }) => {
    const [choice] = choices;
    if (choice === undefined) {
      return `${usage?.prompt_tokens}+${usage?.completion_tokens} ${meter.source}`;
    }
    const finish = choice.finish_reason ?? "";
    if (!("delta" in choice)) return `${choice.text}${finish === "" ? "" : ` ${finish}`}`;
    const { role, content, reasoning, tool_calls: calls = [] } = ChatDelta.parse(choice.delta);
    const called = calls.map(({ index, id, function: call }) =>
      [index, id, call?.name, call?.arguments].filter((part) => part !== undefined).join(" "),
    );
    const thought = reasoning === undefined ? "" : `(${reasoning})`;
    return (role === undefined ? "" : "+") + (content ?? "") + thought + called.join() + finish;
  });
  if (error !== null) lines.push(error);
  return malformed === 0 ? lines : [...lines, `${malformed} malformed`];
}

const FIXTURES: Record<string, [way: Way, text: string]> = {
  "OpenAI's": [
    CHAT,
    data(
      chunk({ role: "assistant", content: "" }),
      chunk({ content: "Grüße 🌍 " }),
      chunk({ content: "你好" }),
      chunk({}, { finish_reason: "stop" }),
      { choices: [], usage: USAGE },
      "[DONE]",
    ),
  ],
  "vLLM's tools": [
    CHAT,
    data(
      chunk({ role: "assistant", content: null, tool_calls: [] }),
      chunk({
        tool_calls: [{ id: "call_a", type: "function", index: 0, function: { name: "wetter" } }],
      }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"ort":' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: ' "Köln"}' } }] }),
      chunk({
        tool_calls: [{ id: "call_b", index: 1, function: { name: "zeit", arguments: "{}" } }],
      }),
      chunk({ content: "" }, { finish_reason: "stop" }),
      "[DONE]",
    ),
  ],
  "OpenRouter's comments and reasoning": [
    CHAT,
    `: OPENROUTER PROCESSING\n\n${data(
      chunk({ role: "assistant", content: "", reasoning: "Hm. " }),
      chunk({ role: "assistant", content: "Ja.", reasoning: null }),
      chunk({}, { finish_reason: "stop", native_finish_reason: "STOP" }),
      { choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: USAGE },
    )}: bye\n\n`,
  ],
  "OpenRouter's error in a chunk": [
    CHAT,
    data(chunk({ content: "so far" }), {
      ...chunk({ content: "" }, { finish_reason: "error" }),
      error: { code: 502, message: "Provider disconnected" },
    }),
  ],
  "llama.cpp's error field": [
    CHAT,
    `${data(chunk({ content: "a" }))}error: {"code":500,"message":"out of memory","type":"server_error"}\n\n${data(chunk({ content: "b" }))}`,
  ],
  "malformed events among good ones": [
    CHAT,
    data(
      chunk({ content: "é" }),
      "{oops",
      chunk({ content: "ü" }),
      "[]",
      chunk({}, { finish_reason: "eos" }),
      "[DONE]",
    ),
  ],
  "a completion's": [
    TEXT,
    data(
      { choices: [{ text: "né ", index: 0 }] },
      { choices: [{ text: "o", index: 0, finish_reason: "length" }], usage: USAGE },
      "[DONE]",
    ),
  ],
  "a completion that is a chat's": [
    RENDERED,
    data(
      { choices: [{ text: " weiß", index: 0 }] },
      { choices: [{ text: "", finish_reason: "stop" }] },
    ),
  ],
  "Ollama's": [
    OLLAMA,
    `${[
      { model: "m", message: { role: "assistant", content: "Grüß" }, done: false },
      {
        message: { content: "", tool_calls: [{ function: { name: "f", arguments: { a: "ß" } } }] },
        done: false,
      },
      {
        message: { content: "" },
        done: true,
        done_reason: "stop",
        prompt_eval_count: 11,
        eval_count: 4,
      },
    ]
      .map((line) => JSON.stringify(line))
      .join("\n")}\n`,
  ],
  "Ollama's error": [
    OLLAMA,
    '{"message":{"content":"a"},"done":false}\n{"error":"model runner has unexpectedly stopped"}\n',
  ],
  "one that breaks off inside an event": [
    CHAT,
    `${data(chunk({ content: "só" }))}data: {"choices":[{"del`,
  ],
};

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.each(Object.entries(FIXTURES))("%s stream", (name, [way, text]) => {
  const forms = [text, text.replaceAll("\n", "\r\n"), text.replaceAll("\n", "\r"), `\ufeff${text}`];

  test("gives the same events wherever it is cut", async () => {
    const whole = await read(way, [bytesOf(text)]);
    for (const form of forms) {
      const bytes = bytesOf(form);
      for (let cut = 0; cut <= bytes.length; cut++) {
        expect(await read(way, [bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
      }
      expect(
        await read(
          way,
          [...bytes].map((byte) => Uint8Array.of(byte)),
        ),
      ).toEqual(whole);
    }
  });

  test("is read as OpenAI's", async () => {
    expect(inShort(await read(way, [bytesOf(text)]))).toEqual(EXPECTED[name] ?? []);
  });
});

test("a long stream with tool calls gives the same events in any pieces", async () => {
  let seed = 7;
  const random = (): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  const values: unknown[] = [chunk({ role: "assistant" })];
  for (let i = 0; i < 400; i++) {
    const text = ["wort ", "日本", "\n\n", "🙂", '"', "\\"][Math.floor(random() * 6)];
    if (random() < 0.7) values.push(chunk({ content: text }));
    else {
      const index = Math.floor(i / 100);
      const first = random() < 0.1 ? { id: `call_${index}`, type: "function" } : {};
      values.push(
        chunk({ tool_calls: [{ index, ...first, function: { name: "f", arguments: text } }] }),
      );
    }
  }
  values.push(chunk({}, { finish_reason: "tool_calls" }), { choices: [], usage: USAGE }, "[DONE]");
  const bytes = bytesOf(data(...values));
  const whole = await read(CHAT, [bytes]);
  expect(whole.events.length).toBeGreaterThan(350);
  for (let round = 0; round < 60; round++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + Math.floor(random() ** 4 * 3000);
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    expect(await read(CHAT, pieces)).toEqual(whole);
  }
});
