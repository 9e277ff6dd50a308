import { expect, test } from "bun:test";
import { ChatTemplate } from "../../lib/chat-template.ts";
import { detectTools } from "./detect.ts";
import { DEEPSEEK, LLAMA, MISTRAL, QWEN, SMOL, ZEPHYR } from "./families.ts";
import { HERMES, PROMPTED } from "./syntax.ts";

const detect = (source: string) =>
  detectTools(new ChatTemplate(source), { bosToken: "<s>", eosToken: "</s>" });
const knows = { listed: true, called: true, answered: true, shortIds: false };
const object = (name: string) => ({ kind: "object" as const, name: "name", arguments: name });

test("a template that writes calls shows how its model writes them", () => {
  expect(detect(QWEN)).toEqual({ ...knows, syntax: HERMES });
  expect(detect(LLAMA)).toEqual({
    ...knows,
    syntax: { begin: "", between: null, end: "", shape: object("parameters") },
  });
  expect(detect(MISTRAL)).toEqual({
    ...knows,
    shortIds: true,
    syntax: { begin: "[TOOL_CALLS][", between: ", ", end: "]", shape: object("arguments") },
  });
  expect(detect(DEEPSEEK)).toEqual({
    ...knows,
    syntax: {
      begin: "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>",
      between: "\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
      end: "\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
      shape: { kind: "named", middle: "\n```json\n" },
    },
  });
});

test("one that only tells of tools leaves calls to us", () => {
  expect(detect(SMOL)).toEqual({ ...PROMPTED, listed: true, answered: true });
});

test("one that knows no tools, or writes calls as no JSON, gets a prompt of ours", () => {
  expect(detect(ZEPHYR)).toEqual(PROMPTED);
  const xml = QWEN.replace(
    /\{"name": <function-name>.*\}/,
    "<function=f><parameter=p>1</parameter>",
  )
    .replace(
      `{"name": "' + call.function.name + '", "arguments": `,
      "<function=' + call.function.name + '><parameter=x>",
    )
    .replace("call.function.arguments | tojson", "'1'");
  expect(detect(xml)).toEqual(PROMPTED);
  expect(detect("{{ raise_exception('no') }}")).toEqual(PROMPTED);
});
