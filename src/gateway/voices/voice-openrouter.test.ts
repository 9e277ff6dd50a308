import { describe, expect, test } from "bun:test";
import errorFixture from "../../../test/contracts/fixtures/error_openrouter.json";
import { ERRORS, type ErrorName, GatewayError } from "../../contract/errors.ts";
import { OpenRouterError, OpenRouterStreamError } from "../../contract/openrouter.ts";
import { usageOf } from "../../contract/usage.ts";
import { openAiVoice } from "./voice.ts";
import { voiceOf } from "./voice-of.ts";
import { openRouterVoice as voice } from "./voice-openrouter.ts";
import { pictureVoice, playgroundVoice } from "./voice-playground.ts";

const stamp = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m" };
const died = new GatewayError("upstream_error", "It died.");

test("the path says which dialect is spoken, and no path that only looks like one does", () => {
  for (const path of ["/api/v1", "/api/v1/chat/completions", "/openrouter/v1/nothing"]) {
    expect(voiceOf(path)).toBe(voice);
  }
  for (const path of ["/v1/chat/completions", "/apis/chat", "/openrouter"]) {
    expect(voiceOf(path)).toBe(openAiVoice);
  }
  for (const path of ["/api/v10/models", "/api/chat", "/api/nothing"]) {
    expect(voiceOf(path)).toBe(playgroundVoice);
  }
  expect(voiceOf("/api/ocr")).toBe(pictureVoice);
});

describe("an error", () => {
  test("has the status as its code, and is in the recorded shape", () => {
    const missing = new GatewayError("model_not_found", "Model 'nonexistent-model' not found", {
      param: "model",
    });
    expect<unknown>(voice.errorBody(missing, null)).toEqual(errorFixture);
  });

  test("of every kind fits the contract", () => {
    for (const kind of Object.keys(ERRORS).filter((name): name is ErrorName => name in ERRORS)) {
      const body = voice.errorBody(new GatewayError(kind, "It failed."), "Acme");
      expect(OpenRouterError.parse(body).error.code).toBe(ERRORS[kind].status);
    }
  });

  test("names the provider where it is the provider's, and only there", () => {
    expect(voice.errorBody(died, "Acme")).toMatchObject({
      error: { code: 502, metadata: { provider_name: "Acme", raw: "It died." } },
    });
    const bad = voice.errorBody(new GatewayError("invalid_request", "Bad."), "Acme");
    expect(bad).toHaveProperty("error.metadata", { error_type: "invalid_request" });
  });
});

describe("a stream that fails", () => {
  test("ends in a chunk with the error, in which every open choice ends with it", () => {
    const event = voice.errorEvent(died, "Acme", { stamp, openChoices: [0, 2] });
    expect(OpenRouterStreamError.parse(event)).toMatchObject({
      ...stamp,
      error: { code: 502, message: "It died." },
      choices: [
        { index: 0, delta: { content: "" }, finish_reason: "error" },
        { index: 2, delta: { content: "" }, finish_reason: "error" },
      ],
    });
  });

  test("of texts has texts in it", () => {
    const text = { ...stamp, object: "text_completion" };
    const event = voice.errorEvent(died, null, { stamp: text, openChoices: [0] });
    expect(event).toMatchObject({ choices: [{ index: 0, text: "", finish_reason: "error" }] });
  });
});

describe("an answer", () => {
  const choice = { index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" };
  const body = { choices: [choice], usage: usageOf(7, 3, 0) };

  test("says its finish reason twice, what it cost, and that it has no fingerprint", () => {
    const price = { prompt: 1e-6, cached: null, completion: 2e-6, request: 0, image: null };
    expect(voice.whole(body, price)).toMatchObject({
      system_fingerprint: null,
      choices: [{ ...choice, native_finish_reason: "stop" }],
      usage: { prompt_tokens: 7, completion_tokens: 3, cost: 0.000013 },
    });
  });

  test("whose price nobody knows has no cost", () => {
    expect(voice.whole(body, null)).not.toHaveProperty("usage.cost");
  });

  test("in pieces is left as it is but for the pieces that end it", () => {
    const piece = { choices: [{ index: 0, delta: { content: "Hi" }, finish_reason: null }] };
    expect<unknown>(voice.event(piece, null)).toBe(piece);
    const last = { choices: [{ index: 0, delta: {}, finish_reason: "length" as const }] };
    expect(voice.event(last, null)).toMatchObject({
      choices: [{ finish_reason: "length", native_finish_reason: "length" }],
    });
    expect(voice.event({ choices: [], usage: usageOf(1, 2, 0) }, null)).toMatchObject({
      choices: [],
      usage: { total_tokens: 3, is_byok: false },
    });
  });
});
