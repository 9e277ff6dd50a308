import { expect, test } from "bun:test";
import { chatFormat, markersIn } from "./chat-format.ts";
import { MISTRAL, QWEN, ZEPHYR } from "./tools/families.ts";
import { PROMPTED } from "./tools/syntax.ts";

const TOKENS = { bosToken: "<s>", eosToken: "</s>" };
const format = (source: string, declared: Parameters<typeof chatFormat>[2] = null) =>
  chatFormat(source, TOKENS, declared);

test("a template tells of tools, thinking, and the variables that steer it", () => {
  expect(format(ZEPHYR)).toMatchObject({
    tools: PROMPTED,
    thinking: null,
    variables: [],
    harmony: null,
  });
  expect(format(ZEPHYR).words).toContain("add_generation_prompt");
  const thinks = `${ZEPHYR}{% if enable_thinking is defined %}<think>{% endif %}`;
  expect(format(thinks)).toMatchObject({
    thinking: { open: "<think>", close: "</think>" },
    variables: ["enable_thinking"],
  });
});

test("what the model's file says of thinking goes before what the template tells", () => {
  const own = { open: "<a>", close: "</a>" };
  expect(format(`${ZEPHYR}{# <think> #}`, own).thinking).toEqual(own);
  expect(format(`${ZEPHYR}{# <think> #}`, false).thinking).toBeNull();
});

test("thinking of nothing before a call does not announce it", () => {
  const cohere = QWEN.replace("\\n<tool_call>\\n{", "\\n<think></think>\\n<tool_call>\\n{");
  expect(cohere).not.toBe(QWEN);
  expect(format(cohere).tools.syntax.begin).toBe("<tool_call>\n");
});

test("all marks are known by their text", () => {
  expect(markersIn(format(MISTRAL))).toEqual(["[TOOL_CALLS][", ", ", "]"]);
});
