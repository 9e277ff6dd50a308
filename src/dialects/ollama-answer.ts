import { type Fields, fieldsOf } from "./fields.ts";

/**
 * Reads Ollama's lines, or a whole answer, as OpenAI's events. Its calls come whole; their places are
 * counted here. With `choice`, the text is a JSON string out of a schema's list: it is held until its
 * end and given as the text itself.
 */
export function ollamaAnswer(choice: boolean): (fields: Fields, whole: boolean) => Fields | null {
  let calls = 0;
  let held = "";

  const textOf = (text: unknown, done: boolean): string => {
    const piece = typeof text === "string" ? text : "";
    if (!choice) return piece;
    held += piece;
    return done ? unquoted(held) : "";
  };

  return (fields, whole) => {
    if (fields.error !== undefined) return fields;
    const message = fieldsOf(fields.message);
    const done = fields.done === true;
    if (message === null && typeof fields.response !== "string" && !done) return null;
    const end = done ? (fields.done_reason ?? "stop") : null;
    const answer: Fields = {};
    if (done) {
      answer.usage = {
        prompt_tokens: fields.prompt_eval_count,
        completion_tokens: fields.eval_count,
      };
    }
    if (message === null) {
      const text = textOf(fields.response, done);
      return { ...answer, choices: [{ index: 0, text, finish_reason: end }] };
    }
    const said: Fields = { content: textOf(message.content, done) };
    if (typeof message.thinking === "string") said.reasoning = message.thinking;
    if (Array.isArray(message.tool_calls)) {
      said.tool_calls = message.tool_calls.map((item) => {
        const call = fieldsOf(item);
        return { index: calls++, id: call?.id, type: "function", function: call?.function };
      });
    }
    const choiceOf: Fields = { index: 0, finish_reason: end };
    if (Array.isArray(fields.logprobs)) {
      const content = fields.logprobs.map((item) => ({ bytes: null, top_logprobs: [], ...item }));
      choiceOf.logprobs = { content, refusal: null };
    }
    choiceOf[whole ? "message" : "delta"] = said;
    return { ...answer, choices: [choiceOf] };
  };
}

function unquoted(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : text;
  } catch {
    return text;
  }
}
