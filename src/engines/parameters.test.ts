import { expect, test } from "bun:test";
import { ChatRequest } from "../contract/chat.ts";
import { CompletionRequest } from "../contract/completions.ts";
import {
  samplingOf,
  seedBits,
  stopsOf,
  unsupportedNames,
  unsupportedParameters,
} from "./parameters.ts";

const chat = (fields: object) =>
  ChatRequest.parse({ model: "m", messages: [{ role: "user", content: "hi" }], ...fields });
const tool = { type: "function", function: { name: "f" } };
const completion = (fields: object) =>
  CompletionRequest.parse({ model: "m", prompt: "x", ...fields });

test("what is not sent is OpenAI's default, and null is not sent", () => {
  const defaults = {
    temperature: 1,
    topP: 1,
    topK: 0,
    minP: 0,
    seed: 42,
    presencePenalty: 0,
    frequencyPenalty: 0,
    repetitionPenalty: 1,
    logitBias: [],
    xtc: null,
    dry: null,
    dynamicTemperature: null,
    topA: 0,
    tailFree: 1,
    typicalP: 1,
    epsilonCutoff: 0,
    etaCutoff: 0,
    topNSigma: 0,
    smoothing: null,
    mirostat: null,
    noRepeatNgramSize: 0,
    minTokens: 0,
    ignoreEndOfText: false,
    stopTokens: [],
    includeStop: false,
    allowedTokens: null,
    skipSpecialTokens: true,
  };
  expect(samplingOf(chat({}), 42, {})).toEqual(defaults);
  const nulls = chat({ temperature: null, top_k: -1, seed: null });
  expect(samplingOf(nulls, 42, {})).toEqual(defaults);
});

test("a model's own defaults fill in what the request doesn't say, and nothing else", () => {
  const ofModel = { temperature: 0.7, top_p: 0.8, top_k: 20, min_p: 0.05, repetition_penalty: 1.1 };
  expect(samplingOf(chat({ temperature: null, top_k: 0 }), 42, ofModel)).toMatchObject({
    temperature: 0.7,
    topP: 0.8,
    topK: 0,
    minP: 0.05,
    repetitionPenalty: 1.1,
  });
  const said = chat({ temperature: 0, top_p: 1, min_p: 0, repetition_penalty: 1 });
  expect(samplingOf(said, 42, ofModel)).toMatchObject({
    temperature: 0,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
  });
});

test("seeds of any size become 32 bits, and never llama.cpp's word for random", () => {
  expect(seedBits(7)).toBe(7);
  expect(seedBits(-1)).toBe(0xfffffffe);
  expect(seedBits(2 ** 32 + 5)).toBe(5);
  expect(seedBits(2 ** 63)).toBe(0);
});

test("stop strings of the request and of the model both count", () => {
  expect(stopsOf(chat({ stop: "a" }), ["b"])).toEqual(["a", "b"]);
  expect(stopsOf(chat({ stop: ["a", "c"] }), [])).toEqual(["a", "c"]);
  expect(stopsOf(chat({ stop: null }), ["b"])).toEqual(["b"]);
});

test("what would make the answer another one is refused by name", () => {
  const refused: [name: string, value: unknown][] = [
    ["modalities", ["text", "audio"]],
    ["custom_token_bans", [1]],
    ["bad_words", ["x"]],
    ["banned_strings", ["x"]],
    ["structural_tag", "{}"],
  ];
  for (const [name, value] of refused) {
    const run = () => unsupportedParameters(chat({ [name]: value }));
    expect(run).toThrow(expect.objectContaining({ kind: "invalid_request", param: name }));
  }
  for (const [name, value] of [["suffix", "z"]] as const)
    expect(() => unsupportedParameters(completion({ [name]: value }))).toThrow(
      expect.objectContaining({ param: name }),
    );
});

test("what is left out is told, unknown names too; neutral values ask for nothing", () => {
  expect(
    unsupportedParameters(
      chat({ service_tier: "flex", top_a: 0.2, tools: [tool], tool_choice: "auto", zz: 1 }),
    ),
  ).toEqual(["service_tier", "zz"].sort((a, b) => order(a) - order(b)));
  expect(
    unsupportedParameters(
      chat({
        top_a: 0,
        tfs: 1,
        mirostat: 0,
        logprobs: false,
        n: 1,
        response_format: { type: "text" },
        bad_words: [],
        allowed_token_ids: null,
        structured_outputs: { regex: "a" },
        nsigma: 1,
      }),
    ),
  ).toEqual([]);
});

test("what would be left out or refused is known beforehand, all of it at once", () => {
  const parts = [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }];
  const fields = { top_a: 0.2, audio: {}, n: 1, tfs: 1, zz: 1, store: true };
  expect(unsupportedNames(fields).sort()).toEqual(["audio", "store", "zz"]);
  expect(unsupportedNames({ messages: [{ role: "user", content: parts }] })).toEqual(["messages"]);
  expect(unsupportedNames({ continue_final_message: true, messages: 5, stop: null })).toEqual([]);
});

test("fields named like members of every object are unknown fields as others are", () => {
  const fields = { valueOf: 1, hasOwnProperty: 1, constructor: 1, toString: "x" };
  expect(unsupportedParameters(chat(fields)).sort()).toEqual(Object.keys(fields).sort());
});

test("a refusal names the field, and what it may be", () => {
  const refusalOf = (fields: object) => () => unsupportedParameters(chat(fields));
  const audio = { voice: "x", format: "wav" };
  expect(refusalOf({ audio })).toThrow("This model's engine does not support 'audio'.");
  expect(refusalOf({ custom_token_bans: [5] })).toThrow(
    "This model's engine does not support 'custom_token_bans': give these tokens a 'logit_bias' of -100.",
  );
});

/** zod puts known fields first, in its own order. */
function order(name: string): number {
  const keys = Object.keys(ChatRequest.shape);
  const at = keys.indexOf(name);
  return at === -1 ? keys.length : at;
}
