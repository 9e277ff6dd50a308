import type { TemplateMessage } from "../../lib/chat-template.ts";
import { argumentsSchema } from "./guide.ts";
import { spacedJson } from "./spaced-json.ts";
import { HERMES, type ToolFormat } from "./syntax.ts";
import type { FunctionTool, ToolUse } from "./use.ts";

/** A conversation as a template is given it. */
export interface ToolPrompt {
  readonly messages: readonly TemplateMessage[];
  /** Null where there are none, or the messages tell of them. */
  readonly tools: readonly object[] | null;
}

/**
 * Puts tools, calls and their results where a template looks for them; what it knows nothing of
 * becomes text (`docs/tools.md` has it word for word).
 */
export function toolPrompt(
  format: ToolFormat,
  messages: readonly TemplateMessage[],
  use: ToolUse | null,
): ToolPrompt {
  const written = withResults(
    messages.map((message) => withCalls(message, format)),
    format,
  );
  if (use === null) return { messages: written, tools: null };
  if (format.listed) return { messages: written, tools: use.tools.map(asTool) };
  return { messages: withSystem(written, instructions(use.tools)), tools: null };
}

function asTool(tool: FunctionTool): object {
  const { name, description, parameters } = tool;
  const told = description === null ? {} : { description };
  const shown = parameters === null ? argumentsSchema(tool) : parameters;
  return { type: "function", function: { name, ...told, parameters: shown } };
}

/** What a model is told whose template can't. */
function instructions(tools: readonly FunctionTool[]): string {
  const listed = tools.map((tool) => JSON.stringify(Reflect.get(asTool(tool), "function")));
  const example = writeCalls([{ name: "<name>", arguments: "{<arguments>}" }]);
  return [
    "You can call these functions. Each line is one, with the JSON Schema of its arguments:",
    ...listed,
    "",
    "To call a function, answer with this, and nothing after it:",
    example,
    "",
    "You are then given what it returned. Call a function only when you need it; otherwise answer in words.",
  ].join("\n");
}

interface Call {
  readonly name: string;
  /** As JSON. */
  readonly arguments: string;
}

/** Calls in the form that models are told of whose template writes none. */
function writeCalls(calls: readonly Call[]): string {
  const { begin, between, end } = HERMES;
  const written = calls.map(
    ({ name, arguments: given }) => `{"name": ${JSON.stringify(name)}, "arguments": ${given}}`,
  );
  return `${begin}${written.join(between ?? "\n")}${end}`;
}

function withCalls(message: TemplateMessage, format: ToolFormat): TemplateMessage {
  const { tool_calls: calls, ...rest } = message;
  if (!Array.isArray(calls) || calls.length === 0) return message;
  if (format.called) {
    const asText = format.syntax.shape.kind === "pairs";
    const told = calls.map((call) => ({
      ...call,
      ...(format.shortIds ? { id: shortId(call.id) } : {}),
      ...(asText ? { function: withTexts(call.function) } : {}),
    }));
    return { ...rest, tool_calls: told };
  }
  const text = writeCalls(calls.map((call) => callIn(call)));
  return { ...rest, content: message.content === "" ? text : `${message.content}\n${text}` };
}

/** Each argument as the text that a template writes: not every one can write null, or a list. */
function withTexts(called: unknown): unknown {
  const given = fieldOf(called, "arguments");
  if (typeof called !== "object" || typeof given !== "object" || given === null) return called;
  const texts = Object.entries(given).map(([name, value]) => [
    name,
    typeof value === "string" ? value : spacedJson(value),
  ]);
  return { ...called, arguments: Object.fromEntries(texts) };
}

function callIn(call: unknown): Call {
  const told = fieldOf(call, "function") ?? fieldOf(call, "custom");
  const given = fieldOf(told, "arguments") ?? fieldOf(told, "input") ?? {};
  return {
    name: String(fieldOf(told, "name")),
    arguments: typeof given === "string" ? given : JSON.stringify(given),
  };
}

/** Results next to each other, and the user's words after them, are one message: roles take turns. */
function withResults(messages: readonly TemplateMessage[], format: ToolFormat): TemplateMessage[] {
  if (format.answered)
    return messages.map((message) =>
      format.shortIds && message.role === "tool"
        ? { ...message, tool_call_id: shortId(message.tool_call_id) }
        : message,
    );
  const out: TemplateMessage[] = [];
  let results = false;
  for (const message of messages) {
    const last = out.at(-1);
    const result = message.role === "tool";
    const text = result ? `<tool_response>\n${message.content}\n</tool_response>` : message.content;
    if (results && last !== undefined && (result || message.role === "user"))
      out[out.length - 1] = { ...last, content: `${last.content}\n${text}` };
    else out.push(result ? { role: "user", content: text } : message);
    results = result;
  }
  return out;
}

function withSystem(messages: readonly TemplateMessage[], text: string): TemplateMessage[] {
  const [first, ...others] = messages;
  if (first === undefined || !["system", "developer"].includes(first.role))
    return [{ role: "system", content: text }, ...messages];
  return [{ ...first, content: `${first.content}\n\n${text}` }, ...others];
}

const SHORT = 9;

/** The same nine letters and digits for the same id; an id that is so stays. */
function shortId(id: unknown): string {
  const text = String(id);
  if (/^[a-zA-Z0-9]{9}$/.test(text)) return text;
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, SHORT);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
