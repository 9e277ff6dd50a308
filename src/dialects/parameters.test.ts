import { describe, expect, test } from "bun:test";
import { catalogSettings, context, settingsOf, target } from "../../test/dialects/backend.ts";
import type { JsonObject } from "../types.ts";
import { openAiDialect } from "./openai.ts";
import { translateParameters } from "./parameters.ts";

/** What each kind of server is sent for the same request, by the files in `catalog/providers/`. */

async function sent(id: string, fields: JsonObject, known: Parameters<typeof target>[1] = {}) {
  const provider = await catalogSettings(id);
  const { body, dropped } = translateParameters(provider, target("m", known), fields);
  return { body, dropped };
}

describe("vLLM", () => {
  test("gets guides as structured outputs, and sampling said explicitly", async () => {
    const { body, dropped } = await sent("vllm", { guided_regex: "[a-z]+", temperature: 0.5 });
    expect(body).toEqual({
      structured_outputs: { regex: "[a-z]+" },
      temperature: 0.5,
      top_p: 1,
      top_k: -1,
      min_p: 0,
    });
    expect(dropped).toEqual([]);
  });

  test("decides itself what nobody else does, where the config wants that", async () => {
    const file = Bun.TOML.parse(await Bun.file("catalog/providers/vllm.toml").text());
    const provider = settingsOf({ ...file, sampling_defaults: "engine" });
    const known = target("m", { defaults: { temperature: 0.6 } });
    const { body } = translateParameters(provider, known, { top_k: 0 });
    expect(body).toEqual({ top_k: -1, temperature: 0.6 });
  });

  test("is not told by a caller whom to fetch a prompt's cache from", async () => {
    const fields = { kv_transfer_params: { remote_host: "10.0.0.1" }, bootstrap_host: "10.0.0.1" };
    const { body, dropped } = await sent("vllm", fields);
    expect(JSON.stringify(body)).not.toContain("10.0.0.1");
    expect(dropped).toEqual(["kv_transfer_params", "bootstrap_host"]);
  });

  test("is not sent what it does not know, and that is told where it would have done something", async () => {
    const { body, dropped } = await sent("vllm", {
      mirostat_mode: 2,
      mirostat_tau: 5,
      dry_multiplier: 0,
      dry_base: 1.75,
      tfs: 1,
      xtc_probability: 0.5,
      presence_penalty: 0,
    });
    expect(dropped).toEqual(["mirostat", "mirostat_tau", "xtc_probability"]);
    expect(Object.keys(body).sort()).toEqual([
      ...["min_p", "presence_penalty", "temperature", "top_k", "top_p"],
    ]);
  });
});

describe("llama.cpp", () => {
  test("gets grammars for choices and regular expressions", async () => {
    const choice = await sent("llamacpp", { guided_choice: ["yes", "no"] });
    expect(choice.body.grammar).toBe('root ::= "yes" | "no"');
    const regex = await sent("llamacpp", { guided_regex: "\\d+" });
    expect(regex.body.grammar).toBe("root ::= [0-9]+");
    expect((await sent("llamacpp", { guided_regex: "(?=a)" })).dropped).toEqual(["guided_regex"]);
  });

  test("gets its own names", async () => {
    const { body } = await sent("llamacpp", {
      repetition_penalty: 1.2,
      dry_range: 100,
      mirostat_mode: 1,
      max_completion_tokens: 9,
      max_tokens: 5,
      top_k: -1,
    });
    expect(body).toMatchObject({
      repeat_penalty: 1.2,
      dry_penalty_last_n: 100,
      mirostat: 1,
      max_tokens: 9,
      top_k: 0,
    });
    expect(body).not.toHaveProperty("max_completion_tokens");
  });

  test("gets a dynamic temperature as a range around the middle", async () => {
    const { body, dropped } = await sent("llamacpp", {
      dynatemp_min: 0.5,
      dynatemp_max: 1.5,
      temperature: 0.9,
    });
    expect(body).toMatchObject({ temperature: 1, dynatemp_range: 0.5 });
    expect(dropped).toEqual([]);
  });
});

test("a JSON Schema goes where the server takes one", async () => {
  const schema = { type: "object" };
  const format = { type: "json_schema", json_schema: { name: "answer", strict: true, schema } };
  for (const guided of [schema, JSON.stringify(schema)]) {
    const { body } = await sent("sglang", { guided_json: guided });
    expect(body.response_format).toEqual(format);
  }
  expect((await sent("tabbyapi", { guided_json: schema })).body.json_schema).toEqual(schema);
  expect((await sent("ollama", { guided_json: schema })).body.format).toEqual(schema);
});

test("choices become a regular expression where that is what a server has", async () => {
  expect((await sent("sglang", { guided_choice: ["a.b", "c"] })).body.regex).toBe("(a\\.b|c)");
  expect((await sent("tabbyapi", { guided_choice: ["a"] })).body.regex_pattern).toBe("(a)");
});

test("what nobody named is sent as it came, and nothing of the gateway's own", async () => {
  const { body, dropped } = await sent("openai-compatible", {
    mirostat: 2,
    their_own: { a: [1] },
    user: null,
    models: ["a"],
    provider: {},
    route: "x",
    plugins: [],
    chat_template: "x",
    transforms: [],
    session_id: "s",
    usage: { include: true },
  });
  expect(body).toEqual({ mirostat: 2, their_own: { a: [1] } });
  expect(dropped).toEqual([]);
});

test("the model's makers' values win over the provider's, and the request's over both", async () => {
  const known = { defaults: { temperature: 0.6, top_k: 20, repetition_penalty: 1.1 } };
  expect((await sent("vllm", { temperature: 0.2 }, known)).body).toEqual({
    temperature: 0.2,
    top_k: 20,
    repetition_penalty: 1.1,
    top_p: 1,
    min_p: 0,
  });
  // A kind of server that is not known gets only what OpenAI's API has.
  expect((await sent("openai-compatible", {}, known)).body).toEqual({ temperature: 0.6 });
});

describe("OpenRouter's reasoning", () => {
  const reasoning = { effort: "high" };
  const as = async (file: object, fields: JsonObject) =>
    translateParameters(settingsOf(file), target(), fields);

  test("becomes an effort where that is known, else it is told as dropped", async () => {
    expect(await as({}, { reasoning })).toEqual({
      body: { reasoning_effort: "high" },
      dropped: [],
    });
    const without = await as({ parameters: { reasoning_effort: false } }, { reasoning });
    expect(without).toEqual({ body: {}, dropped: ["reasoning"] });
    const budget = await as({}, { reasoning: { effort: "low", max_tokens: 100 } });
    expect(budget).toEqual({ body: { reasoning_effort: "low" }, dropped: ["reasoning"] });
  });

  test("stays as it is where the provider's file has it", async () => {
    const kept = await as({ parameters: { reasoning: "reasoning" } }, { reasoning });
    expect(kept).toEqual({ body: { reasoning }, dropped: [] });
  });
});

test("a schema that is not enforced falls back to JSON, and says so", () => {
  const provider = settingsOf({ quirks: { json_schema: "json_object" } });
  const call = context();
  const wire = openAiDialect(provider, {}).request(
    target(),
    "chat",
    { messages: [], response_format: { type: "json_schema", json_schema: { name: "x" } } },
    call,
  );
  expect(wire.body.response_format).toEqual({ type: "json_object" });
  expect([...call.notes]).toEqual([["x-covey-json-schema", "fallback"]]);
  const none = settingsOf({ quirks: { json_schema: "none" } });
  const format = { type: "json_schema", json_schema: { name: "x" } };
  const dropped = openAiDialect(none, {}).unsupported(target(), "chat", {
    response_format: format,
  });
  expect(dropped).toEqual(["response_format"]);
});

test("JSON with a schema is sent in the form that more servers read", async () => {
  const schema = { type: "object" };
  const asked = { response_format: { type: "json_object", schema } };
  expect((await sent("llamacpp", asked)).body.response_format).toEqual({
    type: "json_schema",
    json_schema: { name: "answer", schema },
  });
  expect((await sent("ollama", asked)).body.response_format).toMatchObject({ type: "json_schema" });
  const weaker = settingsOf({ quirks: { json_schema: "json_object" } });
  const call = context();
  const wire = openAiDialect(weaker, {}).request(target(), "chat", asked, call);
  expect(wire.body.response_format).toEqual({ type: "json_object" });
  expect([...call.notes]).toEqual([["x-covey-json-schema", "fallback"]]);
  expect((await sent("vllm", { response_format: null })).body.response_format).toBeUndefined();
});

test("a last message that is called the beginning of the answer goes in each server's own form", async () => {
  const question = { role: "user", content: "Hi" };
  const begun = { role: "assistant", content: "Yes, " };
  const asked = { messages: [question, { ...begun, prefix: true }] };
  const wire = async (id: string, prefill: string | null = null) =>
    openAiDialect(await catalogSettings(id), {}).request(target(), "chat", asked, context(prefill))
      .body;
  const continued = { continue_final_message: true, add_generation_prompt: false };
  expect(await wire("vllm")).toMatchObject({ ...continued, messages: [question, begun] });
  expect((await wire("vllm")).messages).toEqual([question, begun]);
  expect((await wire("llamacpp")).messages).toEqual([question, begun]);
  expect(await wire("openai-compatible")).toMatchObject(asked);
  expect(await wire("tabbyapi")).toMatchObject({
    messages: [question],
    response_prefix: "Yes, ",
  });
  expect((await wire("tabbyapi", "it is")).response_prefix).toBe("Yes, it is");
  const earlier = { messages: [{ ...begun, prefix: true }, question] };
  const body = openAiDialect(await catalogSettings("vllm"), {}).request(
    target(),
    "chat",
    earlier,
    context(),
  ).body;
  expect(body.continue_final_message).toBeUndefined();
});
