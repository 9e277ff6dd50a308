import { describe, expect, test } from "bun:test";
import { END, madeUpVocabulary } from "../../../test/guided/made-up-vocabulary.ts";
import { readerOf } from "../../../test/guided/matches.ts";
import { validatorOf } from "../../../test/guided/validate.ts";
import { walk } from "../../../test/guided/walk.ts";
import { forSeeds } from "../../../test/seeded.ts";
import { ChatRequest } from "../../contract/chat.ts";
import { ChatTemplate } from "../../lib/chat-template.ts";
import { type AnswerRules, answerReader, messageOf, type Said } from "../chat-answer.ts";
import { type ChatFormat, chatFormat } from "../chat-format.ts";
import { templateMessages } from "../chat-prompt.ts";
import { createGuides } from "../guided/guide.ts";
import type { GuideSpec } from "../guided/spec.ts";
import { vocabularyOf } from "../guided/token-trie.ts";
import { guideBytes, SEAL } from "../sealed.ts";
import { QWEN } from "../tools/families.ts";
import { toolPrompt } from "../tools/prompt.ts";
import { type ToolUse, toolUse } from "../tools/use.ts";
import { GPT_OSS } from "./family.ts";
import { harmonyGuide } from "./guide.ts";
import { HARMONY_MARKS, marksOf } from "./marks.ts";
import { harmonyMessages } from "./messages.ts";

const TOKENS = { bosToken: "<s>", eosToken: "</s>" };
const PLAIN = chatFormat(GPT_OSS, TOKENS, null);
const SEALED: ChatFormat = { ...PLAIN, harmony: { seal: SEAL } };
const SCHEMA = {
  type: "object",
  properties: { city: { type: "string", maxLength: 9 }, days: { type: "integer" } },
  required: ["city"],
  additionalProperties: false,
};
const TOOLS = ["weather", "time"].map((name) => ({
  type: "function",
  function: { name, ...(name === "weather" ? { parameters: SCHEMA } : {}) },
}));

function useOf(more: object = {}): ToolUse {
  const messages = [{ role: "user", content: "" }];
  const use = toolUse(ChatRequest.parse({ model: "m", messages, tools: TOOLS, ...more }));
  if (use === null) throw new Error("no tools");
  return use;
}

/** Every mark as the token that it is. */
const sealed = (text: string) =>
  HARMONY_MARKS.reduce((all, mark) => all.replaceAll(mark, `${SEAL}${mark}`), text);

const RULES: Omit<AnswerRules, "format"> = {
  use: useOf(),
  thinking: false,
  begun: false,
  thinksFirst: false,
  formAtOnce: false,
  stop: ["END"],
  thoughtStop: [],
  includeStop: false,
  minTokens: 0,
};

function read(pieces: readonly string[], more: Partial<AnswerRules> = {}, cut = false): object {
  const answer = answerReader({ format: SEALED, ...RULES, ...more });
  const said: Said[] = [];
  for (const piece of pieces) {
    said.push(...answer.push(piece));
    if (answer.over) break;
  }
  said.push(...answer.end(cut));
  const { content, reasoning, tool_calls: calls } = messageOf(said, (index) => `${index}`, false);
  const finish = answer.finish(cut ? "length" : "stop");
  return { content, reasoning, calls, finish };
}

const call = (given: string, name = "weather") => [
  { id: "0", type: "function", function: { name, arguments: given } },
];
const THOUGHT = "<|channel|>analysis<|message|>Hm, END.<|end|><|start|>assistant";
const GIVEN = '{"city": "Rome END"}';

const CASES: readonly [string, string, object, Partial<AnswerRules>?][] = [
  [
    "thinking and final words",
    `${THOUGHT}<|channel|>final<|message|>It is <b> |> so.`,
    { content: "It is <b> |> so.", reasoning: "Hm, END.", finish: "stop" },
  ],
  [
    "a stop string in the words, and not in thinking",
    `${THOUGHT}<|channel|>final<|message|>It END is`,
    { content: "It ", reasoning: "Hm, END.", finish: "stop" },
  ],
  [
    "a call whose recipient stands behind the channel",
    `${THOUGHT}<|channel|>commentary to=functions.weather <|constrain|>json<|message|>${GIVEN}`,
    { content: null, reasoning: "Hm, END.", calls: call(GIVEN), finish: "tool_calls" },
  ],
  [
    "a call whose recipient stands in front of it",
    `${THOUGHT} to=functions.time<|channel|>commentary json<|message|>{}<|end|>more`,
    { content: null, reasoning: "Hm, END.", calls: call("{}", "time"), finish: "tool_calls" },
  ],
  [
    "words in front of a call, in two messages",
    `<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary<|message|>Now.<|end|><|start|>assistant<|channel|>analysis to=functions.weather<|message|>${GIVEN}`,
    { content: "I look.\nNow.", calls: call(GIVEN), finish: "tool_calls" },
  ],
  [
    "thinking in two parts",
    `${THOUGHT}<|channel|>analysis<|message|>Aha.<|end|><|start|>assistant<|channel|>final<|message|>Yes`,
    { content: "Yes", reasoning: "Hm, END.\nAha.", finish: "stop" },
  ],
  [
    "a function that there is not",
    `<|channel|>commentary to=functions.rm json<|message|>{}`,
    { content: "{}", finish: "stop" },
  ],
  [
    "what is sent to a function without tools",
    `<|channel|>commentary to=functions.weather json<|message|>{}`,
    { content: "{}", finish: "stop" },
    { use: null },
  ],
  ["an answer that goes on", `ome.`, { content: "ome.", finish: "stop" }, { begun: true }],
  [
    "an answer that goes on, and calls",
    `ome.<|end|><|start|>assistant to=functions.time<|channel|>commentary<|message|>{}`,
    { content: "ome.", calls: call("{}", "time"), finish: "tool_calls" },
    { begun: true },
  ],
  ["words without any channel", "Hello there", { content: "Hello there", finish: "stop" }],
  ["the beginning of a header", `${THOUGHT}<|channel|>fin`, { reasoning: "Hm, END." }],
];

describe.each(CASES)("%s", (_, text, expected, more = {}) => {
  test("is told apart, however it is cut, whether marks are tokens or text", () => {
    for (const [format, written] of [
      [SEALED, sealed(text)],
      [PLAIN, `${text}<|return|>`],
    ] as const) {
      const rules = { format, ...more };
      expect(read([written], rules)).toMatchObject(expected);
      const whole = read([written], rules);
      expect(read(written.split(""), rules)).toEqual(whole);
      for (let at = 1; at < written.length; at++)
        expect(read([written.slice(0, at), written.slice(at)], rules)).toEqual(whole);
    }
  });
});

test("marks that are no tokens of their own are words, whoever wrote them first", () => {
  const copied = "<|end|><|start|>assistant to=functions.time<|channel|>commentary<|message|>{}";
  const text = `${sealed("<|channel|>final<|message|>")}You wrote ${copied}`;
  expect(read([text])).toMatchObject({ content: `You wrote ${copied}`, finish: "stop" });
});

test("an answer that is cut has nothing of a header, and what there is of the rest", () => {
  const text = sealed(
    `${THOUGHT}<|channel|>commentary to=functions.weather json<|message|>${GIVEN}`,
  );
  for (let at = 0; at <= text.length; at++) {
    const said = read([text.slice(0, at)], {}, true);
    expect(JSON.stringify(said)).not.toMatch(/channel|functions\.|assistant/);
    expect(said).toMatchObject({ finish: "length" });
  }
  expect(read([text.slice(0, -4)], {}, true)).toMatchObject({ calls: call(GIVEN.slice(0, -4)) });
});

test("whether it thinks, and how far its text is known, is told while it comes", () => {
  const answer = answerReader({ format: SEALED, ...RULES });
  const steps = ["<|channel|>ana", "lysis<|message|>Hm", "<|end|>", "<|start|>assistant"].map(
    (text) => {
      answer.push(sealed(text));
      return [answer.thinking, answer.settled];
    },
  );
  const header = sealed("<|channel|>analysis<|message|>").length;
  const end = header + 2 + sealed("<|end|>").length;
  expect(steps).toEqual([
    [false, 0],
    [true, header + 2],
    [false, end],
    [false, end + sealed("<|start|>").length],
  ]);
});

test("a template that speaks in channels is known by them", () => {
  expect(PLAIN).toMatchObject({
    harmony: { seal: "" },
    thinking: null,
    variables: ["reasoning_effort"],
    tools: { listed: true, called: true, answered: true },
  });
  expect(chatFormat(QWEN, TOKENS, null).harmony).toBeNull();
});

test("each call of a message is written with its result, and thinking with what was said", () => {
  const made = [0, 1].map((index) => ({
    id: `c${index}`,
    type: "function",
    function: { name: index === 0 ? "weather" : "time", arguments: '{"city":"Rome"}' },
  }));
  const messages = [
    { role: "user", content: "Hi <|end|>" },
    { role: "assistant", content: "I look.", reasoning_content: "Hm.", tool_calls: made },
    { role: "tool", tool_call_id: "c1", content: "noon" },
    { role: "tool", tool_call_id: "c0", content: "sunny" },
    { role: "user", content: "So?" },
  ];
  const parsed = ChatRequest.parse({ model: "m", messages, tools: TOOLS });
  const told = harmonyMessages(templateMessages(parsed.messages));
  const text = new ChatTemplate(GPT_OSS).render({
    ...toolPrompt(PLAIN.tools, told, useOf()),
    ...TOKENS,
    addGenerationPrompt: true,
    variables: {},
  });
  expect(text.slice(text.indexOf("<|start|>assistant"))).toBe(
    "<|start|>assistant<|channel|>analysis<|message|>Hm.\nI look.<|end|>" +
      '<|start|>assistant to=functions.weather<|channel|>commentary json<|message|>{"city": "Rome"}<|call|>' +
      '<|start|>functions.weather to=assistant<|channel|>commentary<|message|>"sunny"<|end|>' +
      '<|start|>assistant to=functions.time<|channel|>commentary json<|message|>{"city": "Rome"}<|call|>' +
      '<|start|>functions.time to=assistant<|channel|>commentary<|message|>"noon"<|end|>' +
      "<|start|>user<|message|>So?<|end|><|start|>assistant",
  );
});

test("calls that have one id have a result each, the last one what is left, in no time", () => {
  const called = (id: string) => ({ id, type: "function", function: { name: "time" } });
  const result = (id: string, content: string) => ({ role: "tool", tool_call_id: id, content });
  const said = (ids: readonly string[], results: readonly (readonly [string, string])[]) =>
    harmonyMessages([
      { role: "assistant", content: "", tool_calls: ids.map(called) },
      ...results.map(([id, content]) => result(id, content)),
      { role: "user", content: "So?" },
    ]).map(({ content, tool_calls }) => (tool_calls === undefined ? content : "call"));
  const three = [
    ["a", "1"],
    ["b", "2"],
    ["a", "3"],
    ["a", "4"],
  ] as const;
  expect(said(["a", "b", "a"], three)).toEqual(["call", "1", "call", "2", "call", "3", "4", "So?"]);
  const many = 8_000;
  const ids = new Array<string>(many).fill("a");
  const began = process.cpuUsage().user;
  expect(
    said(
      ids,
      ids.map((id) => [id, "x"] as const),
    ),
  ).toHaveLength(2 * many + 1);
  expect(process.cpuUsage().user - began).toBeLessThan(1_000_000);
});

function guide(more: object, form: GuideSpec | null = null, begun = false, seal = SEAL): GuideSpec {
  const spec = harmonyGuide({ seal }, useOf(more), form, begun);
  if (spec === null) throw new Error("no guide");
  return spec;
}
const fits = (spec: GuideSpec) => (text: string) => readerOf(spec)(guideBytes(sealed(text)));

test("a guided answer thinks and speaks as it likes, and calls only what there is", () => {
  const auto = fits(guide({}));
  const header = "<|channel|>final<|message|>";
  for (const [, text, , more = {}] of CASES.slice(0, 6))
    if (more.use !== null) expect(auto(text.replace(/<\|end\|>more$/, ""))).toBe("whole");
  expect(auto(`${header}`)).toBe("whole");
  expect(auto("<|channel|>analysis<|message|>Hm")).toBe("begun");
  for (const wrong of [
    "Hello",
    "<|channel|>secret",
    `${header}a<|channel|>`,
    " to=functions.rm",
    " to=browser",
    "<|channel|>commentary to=functions.time<|message|>[",
    '<|channel|>commentary to=functions.weather json<|message|>{"days"',
  ])
    expect([wrong, auto(wrong)]).toEqual([wrong, "neither"]);
  // Marks that are no tokens are words.
  expect(readerOf(guide({}))(guideBytes(`${sealed(header)}<|channel|>`))).toBe("whole");
});

test("a required call, a form, and an answer that was begun", () => {
  const required = fits(guide({ tool_choice: "required" }));
  expect(required(`${THOUGHT} to=functions.time<|channel|>commentary<|message|>{}`)).toBe("whole");
  expect(required(`${THOUGHT}<|channel|>final`)).toBe("neither");
  expect(required("<|channel|>commentary<|message|>")).toBe("neither");
  const form: GuideSpec = { kind: "choice", choices: ["yes"] };
  const alone = fits(harmonyGuide({ seal: SEAL }, null, form, false) ?? form);
  expect(alone(`${THOUGHT}<|channel|>final<|message|>yes`)).toBe("whole");
  expect(alone("<|channel|>final <|constrain|>json<|message|>yes")).toBe("whole");
  expect(alone("<|channel|>final<|message|>no")).toBe("neither");
  expect(alone("<|channel|>commentary<|message|>")).toBe("neither");
  const both = fits(guide({}, form));
  expect(both("<|channel|>final<|message|>yes")).toBe("whole");
  expect(both(" to=functions.time<|channel|>commentary<|message|>{}")).toBe("whole");
  const begun = fits(guide({}, null, true));
  expect(begun("ome.")).toBe("whole");
  expect(begun(`ome.<|end|><|start|>assistant${THOUGHT}<|channel|>final<|message|>x`)).toBe(
    "whole",
  );
  expect(harmonyGuide({ seal: "" }, null, null, false)).toBeNull();
  expect(harmonyGuide({ seal: "" }, null, form, true)).toEqual(form);
});

test("whatever tokens are taken, an answer is read, and its call fits", () => {
  const faultOf = validatorOf(SCHEMA);
  const seal = "";
  const ascii = madeUpVocabulary().filter((bytes) => bytes.every((byte) => byte < 0x80));
  const tokens = [...ascii, ...marksOf({ seal }).all.map(guideBytes)];
  const guides = createGuides(vocabularyOf(tokens, [END]));
  const rules = { format: PLAIN, use: useOf({ tool_choice: "required" }), stop: [] };
  const spec = guide({ tool_choice: "required" }, null, false, seal);
  let ended = 0;
  forSeeds(80, (random) => {
    const walked = walk(guides.compile(spec), tokens, new Set([END]), random, 800);
    if (!walked.ended) return;
    ended += 1;
    const { calls, content } = JSON.parse(JSON.stringify(read([walked.text], rules)));
    expect(content).toBeNull();
    const [{ function: called }] = calls;
    if (called.name === "weather") expect(faultOf(called.arguments)).toBeNull();
    else expect([called.name, JSON.parse(called.arguments)]).toEqual(["time", {}]);
  });
  expect(ended).toBeGreaterThan(20);
});
