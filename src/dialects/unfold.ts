import { type Fields, fieldsOf } from "./fields.ts";

/** A whole answer as a stream's two events, for a server that does not stream what was to be streamed. */
export function unfold(answer: Fields, chat: boolean): Fields[] {
  const { choices, usage, ...rest } = answer;
  const whole = (Array.isArray(choices) ? choices : []).map(fieldsOf).filter((one) => one !== null);
  const said = whole.map((choice, position): Fields => {
    const { message, text, logprobs, finish_reason: _reason, ...more } = choice;
    const index = typeof choice.index === "number" ? choice.index : position;
    const piece = { ...more, index, logprobs: logprobs ?? null, finish_reason: null };
    return chat ? { ...piece, delta: deltaOf(fieldsOf(message) ?? {}) } : { ...piece, text };
  });
  const ends = whole.map((choice, position): Fields => {
    const index = typeof choice.index === "number" ? choice.index : position;
    const end = { index, finish_reason: choice.finish_reason ?? null };
    return chat ? { ...end, delta: {} } : { ...end, text: "", logprobs: null };
  });
  return [
    { ...rest, choices: said },
    { ...rest, choices: ends, usage },
  ];
}

function deltaOf(message: Fields): Fields {
  const { tool_calls: calls, ...delta } = message;
  if (!Array.isArray(calls)) return delta;
  return { ...delta, tool_calls: calls.map((call, index) => ({ ...fieldsOf(call), index })) };
}
