import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { ChatRequest } from "../../src/contract/chat.ts";
import { CompletionRequest } from "../../src/contract/completions.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { parseRequest } from "../../src/contract/validate.ts";
import pinned from "../contracts/openai_python_1.109.1_params.json";
import { oracle } from "../oracle.ts";

const Fields = z.record(
  z.string(),
  z.object({
    required: z.boolean(),
    nullable: z.boolean(),
    /** The field's type in openai-python, such as `Optional[int]`. */
    py: z.string(),
    openapi_constraints: z.object({
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      maxLength: z.number().optional(),
      minItems: z.number().optional(),
      maxItems: z.number().optional(),
    }),
  }),
);

interface Example {
  readonly value: unknown;
  readonly beside?: object;
}

const MESSAGES = [{ role: "user", content: "Hi" }];
const TOOL = { type: "function", function: { name: "look_up" } };

/** What a field needs beside it to be allowed, and one value of it that is right. */
const GOOD: Record<string, Example> = {
  messages: { value: MESSAGES },
  model: { value: "a/b" },
  audio: { value: { voice: "alloy", format: "mp3" } },
  frequency_penalty: { value: 0.5 },
  function_call: { value: "auto" },
  functions: { value: [{ name: "look_up" }] },
  logit_bias: { value: { 50256: -100 } },
  logprobs: { value: true },
  max_completion_tokens: { value: 16 },
  max_tokens: { value: 16 },
  metadata: { value: { team: "blue" } },
  modalities: { value: ["text"] },
  n: { value: 1 },
  parallel_tool_calls: { value: false },
  prediction: { value: { type: "content", content: "Hi" } },
  presence_penalty: { value: -0.5 },
  prompt_cache_key: { value: "k" },
  reasoning_effort: { value: "xxhigh" },
  response_format: { value: { type: "json_object" } },
  safety_identifier: { value: "s" },
  seed: { value: 42 },
  service_tier: { value: "any" },
  stop: { value: ["\n", "END"] },
  store: { value: true },
  stream_options: { value: { include_usage: true }, beside: { stream: true } },
  temperature: { value: 0.7 },
  tool_choice: { value: "required", beside: { tools: [TOOL] } },
  tools: { value: [TOOL] },
  top_logprobs: { value: 3, beside: { logprobs: true } },
  top_p: { value: 0.9 },
  user: { value: "u" },
  verbosity: { value: "chatty" },
  web_search_options: { value: {} },
  prompt: { value: "Once" },
  best_of: { value: 1 },
  echo: { value: true },
  suffix: { value: "." },
};

/** Bounds of ours that are tighter than the pin's: one answer a request. */
const TIGHTER: Record<string, number> = { n: 1, best_of: 1 };

/** Nulls that open engines take, and OpenAI does not. */
const TAKES_NULL: ReadonlySet<string> = new Set(["response_format"]);

const families: {
  name: "chat" | "completions";
  schema: z.ZodType<object>;
  base: object;
  fields: z.infer<typeof Fields>;
  good: Record<string, Example>;
}[] = [
  {
    name: "chat",
    schema: ChatRequest,
    base: { model: "a/b", messages: MESSAGES },
    fields: Fields.parse(pinned.chat.fields),
    good: GOOD,
  },
  {
    name: "completions",
    schema: CompletionRequest,
    base: { model: "a/b", prompt: "Once" },
    fields: Fields.parse(pinned.completions.fields),
    good: { ...GOOD, logprobs: { value: 5 } },
  },
];

for (const { name, schema, base, fields, good: examples } of families) {
  const parse = (over: object): object => parseRequest(schema, { ...base, ...over });
  const paramOf = (over: object): string | null => {
    try {
      parse(over);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      expect(error.status).toBe(400);
      expect(error.toBody().error.type).toBe("invalid_request_error");
      expect(error.message).toContain(`'${error.param}'`);
      return error.param;
    }
    throw new Error("was accepted");
  };

  describe(`every pinned field of ${name}`, () => {
    for (const [field, pin] of Object.entries(fields)) {
      const good = examples[field];
      const limits = pin.openapi_constraints;

      test(`${field}: a right value is kept as it was sent`, () => {
        if (good === undefined) throw new Error(`no example of ${field}`);
        expect<unknown>(parse({ ...good.beside, [field]: good.value })).toEqual({
          ...base,
          ...good.beside,
          [field]: good.value,
        });
      });

      const takesNull = pin.nullable || TAKES_NULL.has(field);
      test(`${field}: null is ${takesNull ? "accepted" : "refused"}`, () => {
        if (takesNull) expect(parse({ [field]: null })).toMatchObject({ [field]: null });
        else expect(paramOf({ [field]: null })).toBe(field);
      });

      test(`${field}: a value of no type it takes is refused`, () => {
        const wrong = field === "web_search_options" || /bool/.test(pin.py) ? "yes" : true;
        expect(paramOf({ [field]: wrong })).toBe(field);
      });

      if (pin.required) {
        test(`${field}: is required`, () => {
          expect(paramOf({ [field]: undefined })).toBe(field);
        });
      }

      const low = limits.minimum;
      const high = TIGHTER[field] ?? limits.maximum;
      const integer = /\bint\b/.test(pin.py);
      if (low !== undefined) {
        test(`${field}: ${low} is the least`, () => {
          parse({ ...good?.beside, [field]: low });
          expect(
            paramOf({ [field]: low - (Math.abs(low) > 1e15 ? 1e12 : integer ? 1 : 0.01) }),
          ).toBe(field);
        });
      }
      if (high !== undefined) {
        test(`${field}: ${high} is the most`, () => {
          parse({ ...good?.beside, [field]: high });
          expect(paramOf({ [field]: high + (high > 1e15 ? 1e12 : integer ? 1 : 0.01) })).toBe(
            field,
          );
        });
      }
      if (integer && !/Dict|Sequence/.test(pin.py)) {
        test(`${field}: a fraction is refused`, () =>
          expect(paramOf({ [field]: 0.5 })).toBe(field));
      }
      if (limits.maxLength !== undefined) {
        const most = limits.maxLength;
        test(`${field}: at most ${most} characters`, () => {
          parse({ [field]: "x".repeat(most) });
          expect(paramOf({ [field]: "x".repeat(most + 1) })).toBe(field);
        });
      }
      if (limits.minItems !== undefined) {
        test(`${field}: an empty list is refused`, () =>
          expect(paramOf({ [field]: [] })).toBe(field));
      }
      if (limits.maxItems !== undefined) {
        const most = limits.maxItems;
        const item = Array.isArray(good?.value) ? good.value[0] : undefined;
        test(`${field}: at most ${most} items`, () => {
          parse({ [field]: Array(most).fill(item) });
          expect(paramOf({ [field]: Array(most + 1).fill(item) })).toBe(field);
        });
      }
    }

    test("bounds that the contract adds", () => {
      expect(paramOf({ max_tokens: name === "chat" ? 0 : -1 })).toBe("max_tokens");
      expect(paramOf({ n: 2 })).toBe("n");
      expect(paramOf({ stream: "true" })).toBe("stream");
      parse({ stream: null });
    });

    test("what is accepted is a request by OpenAI's own schema too", () => {
      const check = oracle(
        name === "chat" ? "CreateChatCompletionRequest" : "CreateCompletionRequest",
      );
      for (const [field, { value, beside }] of Object.entries(examples)) {
        const free = ["reasoning_effort", "service_tier", "verbosity"].includes(field);
        if (field in fields && !free) check({ ...base, ...beside, [field]: value });
      }
    });
  });
}

test("the pinned list of fields has not moved", () => {
  expect(
    families.map(({ name, fields }) => [
      name,
      Object.entries(fields)
        .map(([field, pin]) => `${field}${pin.required ? "!" : ""}${pin.nullable ? "?" : ""}`)
        .sort(),
    ]),
  ).toMatchSnapshot();
  expect([pinned.chat.source, pinned.completions.source]).toMatchSnapshot();
});
