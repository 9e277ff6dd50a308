import { expect, test } from "bun:test";
import { ChatRequest } from "../../contract/chat.ts";
import { hidesReasoning, reasoningVariables, refusesThinking } from "./asked.ts";

const request = (fields: object) =>
  ChatRequest.parse({ model: "m", messages: [{ role: "user", content: "" }], ...fields });
const variables = (fields: object, ...known: string[]) =>
  reasoningVariables(request(fields), known);

test("a template that asks whether to think is told, by either name of the parameter", () => {
  const off = { variables: { enable_thinking: false } };
  expect(variables({ reasoning_effort: "none" }, "enable_thinking")).toEqual({
    ...off,
    honoured: ["reasoning_effort"],
  });
  expect(variables({ reasoning: { enabled: false } }, "enable_thinking")).toEqual({
    ...off,
    honoured: ["reasoning"],
  });
  expect(variables({ reasoning: { effort: "high" } }, "reasoning_effort", "thinking")).toEqual({
    variables: { thinking: true, reasoning_effort: "high" },
    honoured: ["reasoning"],
  });
});

test("one that doesn't ask is told nothing, and neither is any where nothing was said", () => {
  const nothing = { variables: {}, honoured: [] };
  expect(variables({ reasoning_effort: "low" })).toEqual(nothing);
  expect(variables({}, "enable_thinking", "reasoning_effort")).toEqual(nothing);
  expect(variables({ reasoning: { exclude: true } }, "enable_thinking")).toEqual(nothing);
});

test("thinking is left out for those who say so", () => {
  expect(hidesReasoning(request({}))).toBe(false);
  expect(hidesReasoning(request({ include_reasoning: false }))).toBe(true);
  expect(hidesReasoning(request({ reasoning: { exclude: true } }))).toBe(true);
});

test("who wants nothing thought says so by any of the parameters", () => {
  const refused = (fields: object) => refusesThinking(request(fields));
  expect(refused({})).toEqual([]);
  expect(refused({ reasoning_effort: "low", reasoning: { effort: "high" } })).toEqual([]);
  expect(refused({ reasoning_effort: "none" })).toEqual(["reasoning_effort"]);
  expect(refused({ reasoning: { enabled: false } })).toEqual(["reasoning"]);
  expect(refused({ reasoning: { effort: "none" } })).toEqual(["reasoning"]);
  expect(refused({ chat_template_kwargs: { enable_thinking: false } })).toHaveLength(1);
});
