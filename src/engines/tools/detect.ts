import {
  type ChatTemplate,
  ChatTemplateError,
  type TemplateMessage,
} from "../../lib/chat-template.ts";
import { findCall, findPairs } from "./find-call.ts";
import { type CallShape, type CallSyntax, PROMPTED, type ToolFormat } from "./syntax.ts";

const NAME = "probe_tool";
const OTHER = "other_probe";
const RESULT = "probe result";
/** A noncharacter: no template has a reason to hold it. */
const WORDS = "\u{FDD1}";
const ARGUMENTS = { probe_key: "probe value" };
const PAIRS = [
  ["probe_key", "probe value"],
  ["second_key", 7654321],
] as const;

const LONG_ID = "call_0123456789abcdef012";
const SHORT_ID = "probe001";

const TOOLS = [NAME, OTHER].map((name) => ({
  type: "function",
  function: {
    name,
    description: "A probe.",
    parameters: {
      type: "object",
      properties: { probe_key: { type: "string", description: "A probe's key." } },
      required: ["probe_key"],
    },
  },
}));

const user = (content: string): TemplateMessage => ({ role: "user", content });
const assistant = (content: string): TemplateMessage => ({ role: "assistant", content });

/** How a template that leaves writing calls to others tells its model of Hermes' form. */
const TELLS_HERMES = /<tool_call>\s*\{+\s*"name"/;

/**
 * What a template knows of tools, found out by rendering a conversation with some, and how its model
 * writes calls, read off those that the template wrote. Where that can't be told, or is no JSON, the
 * model gets tools by a prompt of ours.
 */
export function detectTools(
  template: ChatTemplate,
  tokens: { readonly bosToken: string; readonly eosToken: string },
): ToolFormat {
  const render = (messages: readonly TemplateMessage[]): string | null => {
    try {
      const chat = { messages, addGenerationPrompt: false, tools: TOOLS, variables: {} };
      return template.render({ ...chat, ...tokens });
    } catch (error) {
      if (error instanceof ChatTemplateError) return null;
      throw error;
    }
  };
  const plain = render([user("one"), assistant(WORDS), user("two")]);
  if (plain === null || !plain.includes(NAME) || !plain.includes(WORDS)) return PROMPTED;
  const long = render(conversation([NAME], LONG_ID));
  const id = long === null ? SHORT_ID : LONG_ID;
  const rendered = long ?? render(conversation([NAME], id));
  const answered = rendered?.includes(RESULT) === true;
  const two = render(conversation([NAME, OTHER], id));
  const pairs = render(conversation([NAME], id, Object.fromEntries(PAIRS)));
  const syntax = rendered === null ? null : syntaxIn(plain, rendered, two, pairs);
  if (syntax !== null && !JSON.stringify(syntax).includes(id))
    return { syntax, listed: true, called: true, answered, shortIds: id === SHORT_ID };
  return TELLS_HERMES.test(plain) ? { ...PROMPTED, listed: true, answered } : PROMPTED;
}

/** A question, calls, their results, and words after them. */
function conversation(
  names: readonly string[],
  id: string,
  given: object = ARGUMENTS,
): TemplateMessage[] {
  const ids = names.map((_, index) => `${id}${index}`);
  const calls = names.map((name, index) => ({
    id: ids[index],
    type: "function",
    function: { name, arguments: given },
  }));
  const results = names.map((name, index) => ({
    role: "tool",
    name,
    tool_call_id: ids[index],
    content: RESULT,
  }));
  const said = { ...assistant(""), tool_calls: calls };
  return [user("one"), said, ...results, assistant("so"), user("two")];
}

/** @param pairs a call with two arguments, of which the second is no string */
function syntaxIn(
  plain: string,
  one: string,
  two: string | null,
  pairs: string | null,
): CallSyntax | null {
  const start = beginning(plain, one);
  const written = { name: NAME, given: ARGUMENTS };
  const shape = pairs === null ? null : findPairs(pairs, start, NAME, PAIRS);
  const call = findCall(one, start, written, shape);
  if (call === null) return null;
  const after = plain.slice(plain.indexOf(WORDS) + WORDS.length);
  const rest = one.slice(call.to);
  const tail = rest.includes(RESULT) ? rest.slice(0, rest.indexOf(RESULT)) : rest;
  return {
    begin: one.slice(start, call.from).trimStart(),
    between: two === null ? null : betweenIn(two, start, call.shape),
    end: tail.slice(0, endOf(tail, after)),
    shape: call.shape,
  };
}

/** Null where the second of two calls is not written, or in another form, such as with its number. */
function betweenIn(two: string, start: number, shape: CallShape): string | null {
  const found = (from: number, name: string) =>
    findCall(two, from, { name, given: ARGUMENTS }, shape.kind === "pairs" ? shape : null);
  const first = found(start, NAME);
  const second = first === null ? null : found(first.to, OTHER);
  if (first === null || second === null) return null;
  const same = JSON.stringify(second.shape) === JSON.stringify(shape);
  return same ? two.slice(first.to, second.from) : null;
}

/** Where an answer begins to be a call, and no other answer; never inside of a marker. */
function beginning(plain: string, rendered: string): number {
  const common = commonStart(plain, rendered);
  const open = /[<[][^<>[\]]*$/.exec(rendered.slice(0, common));
  return open === null ? common : open.index;
}

function commonStart(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one.charAt(at) === other.charAt(at)) at++;
  return at;
}

/** Where what ends any message begins: from there on a text is most like the one after plain words. */
function endOf(text: string, after: string): number {
  let best = 0;
  let most = 0;
  for (let at = 0; at < text.length; at++) {
    const common = commonStart(text.slice(at), after);
    if (common > most) {
      best = at;
      most = common;
    }
  }
  return most === 0 ? 0 : best;
}
