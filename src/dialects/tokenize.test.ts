import { afterEach, expect, test } from "bun:test";
import {
  bodyOf,
  catalogSettings,
  context,
  serve,
  target,
  thrown,
} from "../../test/dialects/backend.ts";
import type { TokenizeRequest } from "../contract/tokenize.ts";
import { createBackend } from "./index.ts";

let upstream: ReturnType<typeof serve>;
afterEach(() => upstream.close());

async function ask(id: string, answers: object[], input: Omit<TokenizeRequest, "model">) {
  const left = [...answers];
  upstream = serve(() => Response.json(left.shift()));
  const settings = await catalogSettings(id, { baseUrl: upstream.url });
  const { operations } = createBackend(settings);
  const attempt = context();
  const reply = await operations.tokenize?.(
    target("up", { contextLength: 4096 }),
    { model: "m", ...input },
    attempt,
  );
  if (reply === undefined) throw new Error("no tokenize");
  return {
    body: bodyOf(reply),
    seen: upstream.seen,
    told: Object.fromEntries(attempt.notes),
    dropped: [...attempt.dropped],
  };
}
const MESSAGES: TokenizeRequest["messages"] = [{ role: "user", content: "hi" }];
const tokens = (ids: number[], strings: string[], length = 4096) => ({
  object: "tokens",
  tokens: ids,
  count: ids.length,
  length: ids.length,
  max_model_len: length,
  token_strs: strings,
});

test("vLLM: the prompt, or the messages, and its tokens' texts", async () => {
  const answer = { tokens: [1, 2], token_strs: ["a", "b"], count: 2, max_model_len: 32 };
  const { body, seen } = await ask("vllm", [answer], { text: "ab" });
  expect(body).toEqual(tokens([1, 2], ["a", "b"], 32));
  expect(seen[0]).toMatchObject({
    path: "/tokenize",
    body: { model: "up", prompt: "ab", add_special_tokens: true, return_token_strs: true },
  });
  await upstream.close();
  const chat = await ask("vllm", [answer], { messages: MESSAGES });
  expect(chat.seen[0]?.body).toMatchObject({ messages: MESSAGES, add_generation_prompt: true });
});

test("llama.cpp: pieces of whole characters and of bytes; a conversation is rendered there first", async () => {
  const pieces = {
    tokens: [
      { id: 5, piece: "a" },
      { id: 6, piece: [195, 169] },
    ],
  };
  const text = await ask("llamacpp", [pieces], { prompt: "aé", add_special_tokens: false });
  expect(text.body).toEqual(tokens([5, 6], ["a", "é"]));
  expect(text.seen[0]).toMatchObject({
    path: "/tokenize",
    body: { content: "aé", add_special: false, with_pieces: true },
  });
  await upstream.close();
  const chat = await ask("llamacpp", [{ prompt: "<hi>" }, pieces], { messages: MESSAGES });
  expect(chat.seen.map(({ path, body }) => [path, body.content])).toEqual([
    ["/apply-template", undefined],
    ["/tokenize", "<hi>"],
  ]);
});

test("Featherless: text, and a conversation as text", async () => {
  const { body, seen } = await ask("featherless", [{ tokens: [7] }], { input: "a" });
  expect(body).toEqual(tokens([7], []));
  expect(seen[0]).toMatchObject({ path: "/v1/tokenize", body: { model: "up", text: "a" } });
  await upstream.close();
  const chat = await ask("featherless", [{ tokens: [7, 8] }], { messages: MESSAGES });
  expect(chat.seen[0]?.body).toEqual({ model: "up", text: "user\nhi\n" });
  expect(chat.told).toEqual({ "x-covey-chat-template": "unknown" });
});

test("TabbyAPI: its own paths", async () => {
  const { body, seen } = await ask("tabbyapi", [{ tokens: [7], length: 1 }], { input: "a" });
  expect(body).toEqual(tokens([7], []));
  expect(seen[0]?.path).toBe("/v1/token/encode");
});

test("a provider that can't is said to be one", async () => {
  const refused = await thrown(ask("openrouter", [], { input: "a" }));
  expect(refused).toMatchObject({ kind: "invalid_request", fault: "unsupported", param: "model" });
});

test.each([
  ["vllm", { prompt: "text" }],
  ["llamacpp", { content: "text" }],
  ["tabbyapi", { text: "text" }],
])("%s gives the text of tokens", async (id, answer) => {
  upstream = serve(() => Response.json(answer));
  const { operations } = createBackend(await catalogSettings(id, { baseUrl: upstream.url }));
  const reply = await operations.detokenize?.(target(), { model: "m", tokens: [1] }, context());
  expect(reply).toMatchObject({ body: { object: "text", text: "text", prompt: "text" } });
});

const TOOLS: TokenizeRequest["tools"] = [{ type: "function", function: { name: "f" } }];

test("what a conversation's prompt depends on goes where it is read, and is told elsewhere", async () => {
  const asked = {
    messages: MESSAGES,
    tools: TOOLS,
    chat_template_kwargs: { a: 1 },
    reasoning_effort: "low",
    temperature: 1,
    zzz: 1,
  };
  const kept = { tools: TOOLS, chat_template_kwargs: { a: 1 } };
  const vllm = await ask("vllm", [{ tokens: [1] }], asked);
  expect(vllm.seen[0]?.body).toMatchObject({ ...kept, messages: MESSAGES });
  expect(vllm.dropped).toEqual(["reasoning_effort", "zzz"]);
  await upstream.close();
  const none = await ask("vllm", [{ tokens: [1] }], { ...asked, tool_choice: "none" });
  expect(none.seen[0]?.body).not.toHaveProperty("tools");
  await upstream.close();
  const llama = await ask("llamacpp", [{ prompt: "<hi>" }, { tokens: [1] }], asked);
  expect(llama.seen[0]?.body).toEqual({ messages: MESSAGES, ...kept });
  expect(llama.dropped).toEqual(["reasoning_effort", "zzz"]);
  await upstream.close();
  const tabby = await ask("tabbyapi", [{ tokens: [1] }], { messages: MESSAGES, tools: TOOLS });
  expect(tabby.dropped).toEqual(["tools"]);
  await upstream.close();
  const text = await ask("featherless", [{ tokens: [1] }], { messages: MESSAGES, tools: TOOLS });
  expect(text.dropped).toEqual(["tools"]);
  await upstream.close();
  const plain = await ask("vllm", [{ tokens: [1] }], { prompt: "a", tools: TOOLS });
  expect(plain.dropped).toEqual(["tools"]);
});

test("a last message that is called the beginning of the answer is counted as one", async () => {
  const begun = { role: "assistant" as const, content: "Yes", prefix: true };
  const { seen } = await ask("vllm", [{ tokens: [1] }], { messages: [...(MESSAGES ?? []), begun] });
  expect(seen[0]?.body).toMatchObject({
    continue_final_message: true,
    add_generation_prompt: false,
  });
});
