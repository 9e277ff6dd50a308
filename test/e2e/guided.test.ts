import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { z } from "zod";
import { startStarterCovey, type TestCovey } from "../covey.ts";
import { validatorOf } from "../guided/validate.ts";
import { chatBody, post, readStream } from "./wire.ts";

/** Answers that must have a form, from the real model and through HTTP. */

const MODEL = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
const PERSON = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 20 },
    age: { type: "integer", minimum: 18, maximum: 99 },
    email: { anyOf: [{ type: "string", format: "email", maxLength: 40 }, { type: "null" }] },
    colours: { type: "array", items: { enum: ["red", "green"] }, minItems: 1, maxItems: 3 },
  },
  required: ["name", "age", "colours"],
  additionalProperties: false,
};
const GRAMMAR = 'root ::= item ("," item){1,3}\nitem ::= [a-z]{2,5} "=" ("yes" | "no")';

let covey: TestCovey;

beforeAll(async () => {
  covey = await startStarterCovey({
    toml: "[engine]\npreload = true\nthreads = 1\n[limits.anonymous]\nrequests_per_minute = 0\n",
  });
}, 300_000);
afterAll(() => covey.close());

const ask = (fields: object) =>
  post(
    `${covey.url}/v1/chat/completions`,
    chatBody(MODEL, "Tell me about yourself.", { max_tokens: 300, ...fields }),
  );

const Answered = z.object({
  choices: z.array(
    z.object({ message: z.object({ content: z.string() }), finish_reason: z.string() }),
  ),
});

interface Answer {
  readonly text: string;
  readonly finish: string | null | undefined;
}

async function whole(fields: object): Promise<Answer> {
  const answer = await ask(fields);
  const [choice] = Answered.parse(await answer.json()).choices;
  return { text: choice?.message.content ?? "", finish: choice?.finish_reason };
}

async function streamed(fields: object): Promise<Answer> {
  const { chunks, text, done } = await readStream(await ask({ ...fields, stream: true }));
  expect(done).toBe(true);
  return { text, finish: chunks.flatMap(({ choices }) => choices).at(-1)?.finish_reason };
}

async function refused(fields: object): Promise<unknown> {
  const answer = await ask(fields);
  return { status: answer.status, body: await answer.json() };
}

const format = (schema: object) => ({
  response_format: { type: "json_schema", json_schema: { name: "x", schema } },
});
const isPerson = (text: string) => validatorOf(PERSON)(text) === null;
const FORMS: readonly [string, object, (text: string) => boolean][] = [
  ["response_format: json_schema", format(PERSON), isPerson],
  ["guided_json", { guided_json: PERSON }, isPerson],
  [
    "guided_regex",
    { guided_regex: "[A-Z][a-z]{3,9} is \\d{2}\\." },
    (text) => /^[A-Z][a-z]{3,9} is \d{2}\.$/.test(text),
  ],
  [
    "guided_choice",
    { guided_choice: ["red", "green", "grey"] },
    (text) => ["red", "green", "grey"].includes(text),
  ],
  [
    "guided_grammar",
    { guided_grammar: GRAMMAR },
    (text) => /^[a-z]{2,5}=(yes|no)(,[a-z]{2,5}=(yes|no)){1,3}$/.test(text),
  ],
];

const GREEDY = { temperature: 0 };
const HOT = { temperature: 2, seed: 5 };
const SHAPED = { temperature: 2, min_p: 0.01, repetition_penalty: 1.3, seed: 6 };

describe.each([
  ["whole", whole, [GREEDY, SHAPED]],
  ["streamed", streamed, [HOT]],
] as const)("an answer that comes %s", (_, answer, samplings) => {
  test.each([...FORMS])(
    "has the form that %s asks for",
    async (_, fields, fits) => {
      for (const sampling of samplings) {
        const { text, finish } = await answer({ ...fields, ...sampling });
        expect(finish).toBe("stop");
        if (!fits(text)) throw new Error(`with ${JSON.stringify(sampling)}: ${text}`);
      }
    },
    180_000,
  );
});

test("json_object is an object, whatever is in it", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const fields = { response_format: { type: "json_object" }, temperature: 2 };
    const { text, finish } = await whole({ ...fields, seed, max_tokens: 60 });
    expect(text.startsWith("{")).toBe(true);
    // One that is not at its end by then is cut: another may be.
    if (finish === "length") continue;
    expect(Array.isArray(JSON.parse(text))).toBe(false);
    return;
  }
  throw new Error("no answer came to its end");
}, 300_000);

test("completions are guided too", async () => {
  const answer = await post(`${covey.url}/v1/completions`, {
    model: MODEL,
    prompt: "The sky is",
    guided_choice: [" blue", " very blue"],
    temperature: 2,
  });
  expect(await answer.json()).toMatchObject({
    choices: [{ text: expect.stringMatching(/^ (very )?blue$/), finish_reason: "stop" }],
  });
}, 60_000);

test("what ends this model's words ends no form", async () => {
  const text = "one <|user|> two";
  expect(await whole({ guided_choice: [text] })).toEqual({ text, finish: "stop" });
  const own = await whole({ guided_choice: [text], stop: " two" });
  expect(own).toEqual({ text: "one <|user|>", finish: "stop" });
}, 60_000);

test("an answer that max_tokens cuts says so", async () => {
  const { text, finish } = await whole({ ...format(PERSON), max_tokens: 3 });
  expect(finish).toBe("length");
  expect(text.startsWith("{")).toBe(true);
}, 60_000);

test("the same seed gives the same answer", async () => {
  const fields = { ...format(PERSON), temperature: 2, seed: 11 };
  expect(await whole(fields)).toEqual(await whole(fields));
}, 120_000);

test.each([
  [
    format({ type: "object", minProperties: 1 }),
    "response_format.json_schema.schema.minProperties",
  ],
  [{ guided_regex: "(a|b)*a(a|b){18}" }, "guided_regex"],
  [{ guided_grammar: 'start: "a"' }, "guided_grammar"],
  [{ guided_choice: ["a"], response_format: { type: "json_object" } }, "response_format"],
])("what can't be enforced is refused, never answered freely: %#", async (fields, param) => {
  expect(await refused(fields)).toMatchObject({
    status: 400,
    body: { error: { param, type: "invalid_request_error" } },
  });
});

test("a form that turns out to be too ambiguous ends its own answers, and nobody else's", async () => {
  const letters = [..."bcdefghijklmnopqrstuvwxyz"];
  const some = (way: number) => letters.filter((_, at) => ((way * 2_654_435_761) >>> at) % 2 === 0);
  const ways = Array.from({ length: 300 }, (_, way) => `[a${some(way).join("")}]*`).join(" | ");
  // More of them than failures in a row open a target's breaker.
  for (let again = 0; again < 6; again++)
    expect(await refused({ guided_grammar: `root ::= "hello" (${ways})` })).toMatchObject({
      status: 400,
      body: { error: { type: "invalid_request_error" } },
    });
  expect((await whole({ guided_choice: ["yes"] })).text).toBe("yes");
}, 120_000);
