import { expect, test } from "bun:test";
import { targetAt } from "../../../test/gateway/targets.ts";
import type { JsonObject, StreamEvent } from "../../types.ts";
import { canContinue, restOf, sentTokensOf, stopsOf, waysOn } from "./recovery.ts";
import { Transcript } from "./transcript.ts";

const chat = (delta: JsonObject, finish_reason: "stop" | null = null): StreamEvent => ({
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
});
const text = (index: number, said: string): StreamEvent => ({
  choices: [{ index, text: said, logprobs: null, finish_reason: null }],
});
function sent(...events: StreamEvent[]): Transcript {
  const transcript = new Transcript();
  for (const event of events) transcript.add(event);
  return transcript;
}
const ways = (input: JsonObject, ...events: StreamEvent[]) => {
  const { restart, continue: goOn } = waysOn("chat", input, sent(...events));
  return [restart ? "restart" : "", goOn ? "continue" : ""]
    .filter((way) => way !== "")
    .join(" or ");
};
const TEXT = chat({ role: "assistant", content: "Once" });
const CALL = chat({ tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "" } }] });

test.each([
  ["temperature 0", { temperature: 0 }, "restart or continue"],
  ["top_k 1", { top_k: 1 }, "restart or continue"],
  ["a seed", { seed: 7, temperature: 1 }, "restart or continue"],
  ["chance", { temperature: 0.8 }, "continue"],
  ["nothing said", {}, "continue"],
])("text made with %s", (_, input, way) => {
  expect(ways(input, TEXT)).toBe(way);
});

test("an answer whose stop strings nobody could find across the seam is not gone on with", () => {
  const logprobs = { temperature: 0.8, stop: ["END"], logprobs: true };
  expect(ways(logprobs, TEXT)).toBe("");
  expect(ways({ ...logprobs, stop: [] }, TEXT)).toBe("continue");
  expect(ways({ ...logprobs, logprobs: false }, TEXT)).toBe("continue");
  expect(ways({ temperature: 0.8, stop: "END", include_stop_str_in_output: true }, TEXT)).toBe("");
});

test("an answer of which nothing was said yet is made anew, whatever it is made with", () => {
  expect(ways({ temperature: 1 }, chat({ role: "assistant" }))).toBe("restart");
  expect(ways({ temperature: 1 })).toBe("restart");
});

test("a tool call is made anew and never gone on with", () => {
  expect(ways({ temperature: 1 }, CALL)).toBe("restart");
  expect(ways({ temperature: 1 }, TEXT, CALL)).toBe("restart");
});

test("inside reasoning, and inside a refusal, chance leaves no way", () => {
  expect(ways({ temperature: 1 }, chat({ reasoning: "Hm" }))).toBe("");
  expect(ways({ temperature: 1 }, TEXT, chat({ refusal: "I can't" }))).toBe("");
  expect(ways({ temperature: 0 }, chat({ reasoning: "Hm" }))).toBe("restart");
});

test("after reasoning, text can be gone on with", () => {
  expect(ways({ temperature: 1 }, chat({ reasoning: "Hm" }), TEXT)).toBe("continue");
});

test("what can't be matched can't be joined", () => {
  expect(ways({ temperature: 0 }, TEXT, chat({ audio: { data: "…" } }))).toBe("");
});

test.each([
  ["one text", { prompt: "a" }, true],
  ["one text in a list", { prompt: ["a"] }, true],
  ["tokens", { prompt: [1, 2, 3] }, false],
  ["the prompt's echo", { prompt: "a", echo: true }, false],
  ["a suffix", { prompt: "a", suffix: "b" }, false],
  ["several prompts", { prompt: ["a", "b"] }, false],
])("a completion of %s", (_, input, goesOn) => {
  expect(waysOn("completions", input, sent(text(0, "Once"))).continue).toBe(goesOn);
});

test("answers side by side are only made anew", () => {
  const both = sent(text(0, "a"), text(1, "b"));
  const input = { prompt: ["a", "b"], temperature: 0 };
  expect(waysOn("completions", input, both)).toEqual({ restart: true, continue: false });
});

const able = (known: object) => ({
  continuation: {
    prefill: false,
    completions: false,
    exact: false,
    guided: false,
    ...known,
  },
});

test.each([
  ["declares nothing", {}, false, false],
  ["takes a prefill", { prefill: true }, true, false],
  ["completes raw text", { completions: true }, true, true],
])("a target that %s goes on only with what it declares", (_, known, chats, completions) => {
  const target = targetAt("a", able(known));
  const goesOn = (operation: "chat" | "completions") => canContinue(target, operation, {});
  expect([goesOn("chat"), goesOn("completions")]).toEqual([chats, completions]);
});

test.each([
  { response_format: { type: "json_schema" } },
  { response_format: { type: "json_object" } },
  { guided_regex: "a+" },
  { grammar: "root ::= x" },
])("guided output needs a target that declares it (%j)", (input) => {
  expect(canContinue(targetAt("a", able({ prefill: true })), "chat", input)).toBe(false);
  const declared = targetAt("a", able({ prefill: true, guided: true }));
  expect(canContinue(declared, "chat", input)).toBe(true);
});

test("a format of text, and guides that are null, guide nothing", () => {
  const target = targetAt("a", able({ prefill: true }));
  const input = { response_format: { type: "text" }, guided_json: null };
  expect(canContinue(target, "chat", input)).toBe(true);
});

test("the rest has what is left of each limit, and the text without the white space at its end", () => {
  const input = { max_tokens: 10, max_completion_tokens: 12, min_tokens: 6, temperature: 1 };
  const rest = restOf("chat", input, "Once upon \n", 4);
  expect(rest?.input).toEqual({
    ...{ max_tokens: 6, max_completion_tokens: 8, min_tokens: 2, temperature: 1 },
  });
  const trimmed = { text: "Once upon", space: " \n" };
  expect(rest?.prefill(targetAt("a", able({})))).toEqual(trimmed);
  const exact = targetAt("a", able({ exact: true }));
  expect(rest?.prefill(exact)).toEqual({ text: "Once upon \n", space: "" });
  const completion = restOf("completions", input, "Once upon \n", 4);
  expect(completion?.prefill(exact)).toEqual(trimmed);
  expect(restOf("chat", { min_tokens: 2 }, "x", 4)?.input).toEqual({ min_tokens: 0 });
  expect(restOf("chat", { max_tokens: null }, "x", 4)?.input).toEqual({ max_tokens: null });
});

test("there is no rest where a limit is used up", () => {
  expect(restOf("chat", { max_tokens: 4 }, "x", 4)).toBeNull();
  expect(restOf("chat", { max_tokens: 9, max_completion_tokens: 3 }, "x", 4)).toBeNull();
});

test("tokens sent are the pieces that came, unless each held far more than one", () => {
  expect([sentTokensOf(10, 40), sentTokensOf(10, 80), sentTokensOf(1, 400)]).toEqual([10, 10, 100]);
});

test("stop strings are looked for where one text is made, and positions don't matter", () => {
  expect(stopsOf("chat", { stop: "END" })).toEqual(["END"]);
  expect(stopsOf("chat", { stop: ["a", "", "b"] })).toEqual(["a", "b"]);
  expect(stopsOf("chat", { stop: null })).toEqual([]);
  expect(stopsOf("chat", { stop: "END", logprobs: true })).toEqual([]);
  expect(stopsOf("chat", { stop: "END", logprobs: false })).toEqual(["END"]);
  expect(stopsOf("chat", { stop: "END", include_stop_str_in_output: true })).toEqual([]);
  expect(stopsOf("completions", { stop: "END", prompt: ["a", "b"] })).toEqual([]);
});
