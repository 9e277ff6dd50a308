import type { GuideSpec } from "../guided/spec.ts";
import { argumentsSchema } from "../tools/guide.ts";
import type { FunctionTool, ToolUse } from "../tools/use.ts";
import { type Harmony, type Marks, marksOf } from "./marks.ts";

/**
 * What an answer in channels must be, from behind `<|start|>assistant` on: thinking as long as it likes,
 * words of commentary, then the final words, or one call of a tool that there is, with arguments that
 * fit. With a form there is nothing to be read but thinking, and the form. Null where nothing is asked.
 * @param begun it goes on inside of its final words
 */
export function harmonyGuide(
  harmony: Harmony,
  use: ToolUse | null,
  form: GuideSpec | null,
  begun: boolean,
): GuideSpec | null {
  if (use === null && form === null) return null;
  const marks = marksOf(harmony);
  const words: GuideSpec = { kind: "text", without: marks.all };
  const again = literal(`${marks.end}${marks.start}assistant`);
  const calls = use === null ? [] : callsOf(marks, use);
  if (use?.required === true) {
    const call = sequence(talk(marks, ["analysis"]), either(calls));
    return begun ? sequence(again, call) : call;
  }
  if (form !== null && begun) return form;
  const answer =
    form === null
      ? sequence(
          talk(marks, ["analysis", "commentary"]),
          either([
            sequence(literal(`${marks.channel}final${marks.message}`), words),
            sequence(literal(`${marks.channel}commentary${marks.message}`), words),
            ...calls,
          ]),
        )
      : sequence(talk(marks, ["analysis"]), either([finalOf(marks, form), ...calls]));
  return begun ? sequence(words, either([literal(""), sequence(again, answer)])) : answer;
}

/** Any number of messages that others follow. */
function talk(marks: Marks, channels: readonly string[]): GuideSpec {
  return {
    kind: "triggered",
    triggers: channels.map((channel) => ({
      begin: `${marks.channel}${channel}${marks.message}`,
      guide: { kind: "text", without: marks.all },
      end: `${marks.end}${marks.start}assistant`,
    })),
    freeText: false,
    least: 0,
    most: null,
    separator: "",
  };
}

function finalOf(marks: Marks, form: GuideSpec): GuideSpec {
  const header = [marks.message, ` ${marks.constrain}json${marks.message}`].map(literal);
  return sequence(literal(`${marks.channel}final`), either(header), form);
}

/** A call's recipient stands in front of its channel or behind it: models write both. */
function callsOf(marks: Marks, use: ToolUse): GuideSpec[] {
  const { channel, constrain, message } = marks;
  const types = ["", " json", ` ${constrain}json`, `${constrain}json`];
  return use.tools
    .filter(({ name }) => use.callable.has(name))
    .map((tool: FunctionTool) => {
      const to = ` to=functions.${tool.name}`;
      const heads = [
        `${to}${channel}commentary`,
        `${channel}commentary${to}`,
        `${channel}analysis${to}`,
      ];
      return sequence(
        either(heads.map(literal)),
        either(types.map((type) => literal(`${type}${message}`))),
        { kind: "json_schema", schema: argumentsSchema(tool) },
      );
    });
}

function literal(text: string): GuideSpec {
  return { kind: "literal", text };
}

function sequence(...parts: readonly GuideSpec[]): GuideSpec {
  return { kind: "sequence", parts };
}

function either(parts: readonly GuideSpec[]): GuideSpec {
  return { kind: "either", parts };
}
