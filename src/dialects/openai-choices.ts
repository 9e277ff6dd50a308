import { says } from "../lib/says.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { finishReason } from "./finish-reason.ts";
import { settleText } from "./text-parts.ts";
import { ToolDeltas, wholeToolCalls } from "./tool-deltas.ts";

/** All fields but those that the gateway stamps itself, and a fingerprint only if it is one. */
export function withoutStamp(fields: Fields): Fields {
  const {
    id: _id,
    object: _object,
    created: _created,
    model: _model,
    provider: _provider,
    usage: _usage,
    system_fingerprint: fingerprint,
    ...rest
  } = fields;
  if (typeof fingerprint === "string") rest.system_fingerprint = fingerprint;
  return rest;
}

/** One choice of a stream, from its first piece to its last. */
export class ChoiceReader {
  readonly #chat: boolean;
  readonly #newId: (call: number) => string;
  #tools: ToolDeltas | null = null;
  #functionCall = false;
  #begun = false;
  /** It has its finish reason: nothing after it counts. */
  finished = false;

  constructor(chat: boolean, newId: (call: number) => string) {
    this.#chat = chat;
    this.#newId = newId;
  }

  /**
   * Completes one piece in place: a null finish reason or one of OpenAI's, the role in a chat's first
   * piece and in no other. Returns whether it says anything, or that the server gave the answer up.
   */
  read(choice: Fields, index: number): boolean | "failed" {
    choice.index = index;
    const speaks = this.#chat ? this.#delta(choice) : text(choice);
    this.#begun = true;
    const reason = choice.finish_reason;
    if (reason === null) return speaks;
    const calls = this.#tools?.any === true;
    const said = { calls, functionCall: this.#functionCall, chat: this.#chat };
    const finish = finishReason(reason, said);
    if (finish === "failed") return "failed";
    choice.finish_reason = finish;
    if (finish === null) return speaks;
    this.finished = true;
    if (finish !== reason) choice.native_finish_reason ??= reason;
    if (this.#tools !== null) this.#giveHeld(choice, this.#tools);
    return speaks;
  }

  #delta(choice: Fields): boolean {
    const { role, tool_calls: pieces, ...delta } = fieldsOf(choice.delta) ?? {};
    settleText(delta);
    if (Array.isArray(pieces) && pieces.length > 0) {
      this.#tools ??= new ToolDeltas(this.#newId);
      const calls = this.#tools.read(pieces);
      if (calls.length > 0) delta.tool_calls = calls;
    }
    if (delta.function_call !== undefined && delta.function_call !== null) {
      this.#functionCall = true;
    }
    choice.delta = this.#begun
      ? delta
      : { role: typeof role === "string" && role !== "" ? role : "assistant", ...delta };
    for (const name in delta) {
      if (says(delta[name])) return true;
    }
    return false;
  }

  #giveHeld(choice: Fields, tools: ToolDeltas): void {
    const held = tools.flush();
    const delta = fieldsOf(choice.delta);
    if (held.length === 0 || delta === null) return;
    delta.tool_calls = [...(Array.isArray(delta.tool_calls) ? delta.tool_calls : []), ...held];
  }
}

function text(choice: Fields): boolean {
  if (typeof choice.text !== "string") choice.text = "";
  if (choice.logprobs === undefined) choice.logprobs = null;
  return choice.text !== "";
}

/**
 * Completes one choice of a whole answer, as OpenAI's spec wants its keys; null when the server says
 * that it gave the answer up.
 */
export function completeWholeChoice(
  choice: Fields,
  position: number,
  chat: boolean,
  newId: (call: number) => string,
): Fields | null {
  const index = typeof choice.index === "number" ? choice.index : position;
  const logprobs = choice.logprobs ?? null;
  const message: Fields = {
    role: "assistant",
    content: null,
    refusal: null,
    ...fieldsOf(choice.message),
  };
  settleText(message);
  // vLLM writes these as null; OpenAI's schema has them as they should be or not at all.
  for (const name of ["annotations", "function_call"]) {
    if (message[name] === null) delete message[name];
  }
  const given = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  const calls = wholeToolCalls(given, newId);
  if (calls.length > 0) message.tool_calls = calls;
  else delete message.tool_calls;
  const functionCall = message.function_call !== undefined && message.function_call !== null;
  const reason = choice.finish_reason ?? null;
  const finish = finishReason(reason, { calls: calls.length > 0, functionCall, chat });
  if (finish === "failed") return null;
  const native =
    finish === reason ? {} : { native_finish_reason: choice.native_finish_reason ?? reason };
  const { message: _message, ...rest } = choice;
  const answer = chat ? { message } : { text: typeof choice.text === "string" ? choice.text : "" };
  return { ...rest, index, logprobs, ...answer, finish_reason: finish, ...native };
}
