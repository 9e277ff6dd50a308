import type { StreamEvent } from "../types.ts";
import { type Fields, fieldsOf } from "./fields.ts";

/** A stream's events as one whole answer, for a server that streams what was asked for in one piece. */
export async function assemble(
  events: AsyncIterable<readonly StreamEvent[]>,
  chat: boolean,
): Promise<Fields> {
  const choices = new Map<number, Fields>();
  let rest: Fields = {};
  for await (const group of events) {
    for (const { choices: pieces, ...more } of group) {
      rest = { ...rest, ...more };
      for (const piece of pieces) {
        const choice = choices.get(piece.index) ?? begun(piece.index, chat);
        choices.set(piece.index, choice);
        add(choice, piece);
      }
    }
  }
  return { ...rest, choices: [...choices.values()] };
}

function begun(index: number, chat: boolean): Fields {
  return chat
    ? { index, message: {}, finish_reason: null }
    : { index, text: "", finish_reason: null };
}

function add(choice: Fields, piece: Fields): void {
  const { delta, text, logprobs, ...rest } = piece;
  Object.assign(choice, rest, { finish_reason: piece.finish_reason ?? choice.finish_reason });
  if (typeof text === "string") choice.text = `${choice.text}${text}`;
  const message = fieldsOf(choice.message);
  const said = fieldsOf(delta);
  if (message !== null && said !== null) extend(message, said);
  const probabilities = fieldsOf(logprobs);
  if (probabilities !== null) choice.logprobs = joined(fieldsOf(choice.logprobs), probabilities);
}

function extend(message: Fields, delta: Fields): void {
  for (const [name, value] of Object.entries(delta)) {
    const known = message[name];
    if (name === "tool_calls" && Array.isArray(value)) {
      message.tool_calls = withCalls(Array.isArray(known) ? known : [], value);
    } else if (name === "function_call") {
      const call = fieldsOf(known) ?? {};
      const more = fieldsOf(value) ?? {};
      message.function_call = {
        name: `${call.name ?? ""}${more.name ?? ""}`,
        arguments: `${call.arguments ?? ""}${more.arguments ?? ""}`,
      };
    } else if (typeof value === "string" && typeof known === "string" && name !== "role") {
      message[name] = known + value;
    } else if (value !== null || known === undefined) {
      message[name] = Array.isArray(value) && Array.isArray(known) ? [...known, ...value] : value;
    }
  }
}

function withCalls(known: readonly Fields[], pieces: readonly Fields[]): Fields[] {
  const calls = [...known];
  for (const piece of pieces) {
    const at = calls.findIndex(({ index }) => index === piece.index);
    const call = calls[at];
    const before = fieldsOf(call?.function);
    const more = fieldsOf(piece.function);
    if (call === undefined) calls.push(piece);
    else if (before !== null && more !== null) {
      const text = `${before.arguments ?? ""}${more.arguments ?? ""}`;
      calls[at] = { ...call, function: { ...before, arguments: text } };
    }
  }
  return calls;
}

/** Log probabilities of two pieces: lists one after the other. */
function joined(known: Fields | null, more: Fields): Fields {
  const all: Fields = { ...known };
  for (const [name, value] of Object.entries(more)) {
    const before = all[name];
    all[name] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
  }
  return all;
}
