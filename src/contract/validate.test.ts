import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { ChatRequest } from "./chat.ts";
import { GatewayError } from "./errors.ts";
import { ModelsQuery } from "./models.ts";
import { parseQuery, parseRequest } from "./validate.ts";

const messages = [{ role: "user", content: "Hi" }];
const chat = { model: "a/b", messages };

function refusal(run: () => unknown): GatewayError {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

describe("an accepted request", () => {
  test("keeps what the contract does not know and gains no defaults", () => {
    const body = { ...chat, future: { a: [1] }, messages: [{ ...messages[0], cache_control: {} }] };
    expect<unknown>(parseRequest(ChatRequest, body)).toEqual(body);
  });

  test("cannot change a prototype", () => {
    const body: unknown = JSON.parse(
      '{"model":"m","messages":[{"role":"user","content":"Hi","__proto__":{"x":1}}],"__proto__":{"x":1},"metadata":{"__proto__":"x"}}',
    );
    const parsed = parseRequest(ChatRequest, body);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(parsed.x).toBeUndefined();
    expect(parsed.messages[0]?.x).toBeUndefined();
  });

  test("may have any integer of 64 bits as its seed", () => {
    for (const seed of [-(2 ** 63), -1, 0, 2 ** 53 + 2, 2 ** 60 + 2 ** 20, 2 ** 63]) {
      expect(parseRequest(ChatRequest, { ...chat, seed }).seed).toBe(seed);
    }
  });
});

test("a list of models is asked for with parameters of other servers too, which count for nothing", () => {
  const query = new URLSearchParams("use_rss=true&q=qwen&bogus=1");
  expect(parseQuery(ModelsQuery, query)).toEqual({ q: "qwen" });
});

describe("lenient validation", () => {
  const lenient = { lenient: true };

  test("takes a null where the contract has none as not sent, at any depth", () => {
    const body = {
      ...chat,
      user: null,
      tools: null,
      temperature: null,
      tool_choice: null,
      messages: [
        { role: "user", name: null, content: [{ type: "text", text: "Hi" }] },
        { role: "user", content: [{ type: "image_url", image_url: { url: "u", detail: null } }] },
      ],
    };
    const before = JSON.stringify(body);
    expect<unknown>(parseRequest(ChatRequest, body, lenient)).toEqual({
      model: "a/b",
      temperature: null,
      messages: [
        { role: "user", content: [{ type: "text", text: "Hi" }] },
        { role: "user", content: [{ type: "image_url", image_url: { url: "u" } }] },
      ],
    });
    expect(JSON.stringify(body)).toBe(before);
    expect(refusal(() => parseRequest(ChatRequest, body)).status).toBe(400);
  });

  test("still refuses what is wrong, and a required field that is null", () => {
    const wrong = refusal(() => parseRequest(ChatRequest, { ...chat, user: null, n: 2 }, lenient));
    expect(wrong.param).toBe("n");
    const missing = refusal(() => parseRequest(ChatRequest, { ...chat, model: null }, lenient));
    expect(missing.message).toStartWith("Missing required parameter: 'model'");
    const item = refusal(() => parseRequest(ChatRequest, { ...chat, stop: ["a", null] }, lenient));
    expect(item.param).toBe("stop[1]");
  });
});

describe("hostile bodies", () => {
  test("100,000 nested arrays in an unknown field are a 400, and neither parsing nor checking them overflows", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const where of [
      `{"model":"m","messages":[{"role":"user","content":"Hi"}],"zzz":${deep}}`,
      `{"model":"m","messages":[{"role":"user","content":"Hi"}],"guided_json":{"a":${deep}}}`,
      `{"model":"m","messages":${deep}}`,
    ]) {
      const error = refusal(() => parseRequest(ChatRequest, JSON.parse(where)));
      expect(error.toBody().error).toMatchObject({ param: null, code: null });
      expect(error.message).toContain("nested more than 256 levels");
    }
  });

  test("a quarter of a million wrong items cost one problem, not as many", () => {
    let looked = 0;
    const counting = z.looseObject({
      items: z.array(
        z.number().check((context) => {
          looked += 1;
          context.issues.push({ code: "custom", input: context.value, message: "no." });
        }),
      ),
    });
    expect(refusal(() => parseRequest(counting, { items: Array(250_000).fill(1) })).param).toBe(
      "items[0]",
    );
    // Once in the compiled pass, which stops there, and once in the one that names the problem.
    expect(looked).toBe(2);
  });
});

describe("queries", () => {
  const parse = (query: string) => parseQuery(ModelsQuery, new URLSearchParams(query));

  test("are read into numbers, lists, flags and an order", () => {
    expect(
      parse(
        "q=qwen&category=coding&tags=a,b&tags=c&per_page=20&available_on_current_plan=1&sort=-created&unknown=1",
      ),
    ).toEqual({
      q: "qwen",
      category: "code",
      tags: ["a", "b", "c"],
      per_page: 20,
      available_on_current_plan: true,
      sort: { by: "created", descending: true },
    });
    expect(parse("")).toEqual({});
  });

  test("say what is wrong with them", () => {
    const cases: [string, string, string][] = [
      [
        "page=abc",
        "page",
        "Invalid type for 'page': expected an integer of at least 1, but got 'abc'.",
      ],
      [
        "page=0",
        "page",
        "Invalid value for 'page': expected an integer of at least 1, but got '0'.",
      ],
      [
        "per_page=1001",
        "per_page",
        "Invalid value for 'per_page': expected an integer between 1 and 1000, but got '1001'.",
      ],
      [
        "category=cats",
        "category",
        "Invalid value for 'category': 'cats'. Supported values are: 'text', 'code', 'reasoning', 'multimodal', 'embeddings', 'image', 'audio', 'video', 'coding'.",
      ],
      [
        "available_on_current_plan=yes",
        "available_on_current_plan",
        "Invalid value for 'available_on_current_plan': 'yes'. Supported values are: '0', '1', 'false', 'true'.",
      ],
    ];
    for (const [query, param, message] of cases) {
      const error = refusal(() => parse(query));
      expect([error.param, error.message]).toEqual([param, message]);
    }
  });
});
