/** What the fake upstream says: bodies and pieces of streams, as its behaviours want them. */

export interface FakeRequest {
  readonly behaviour: string;
  readonly argument: string;
  readonly chat: boolean;
  /** One for each choice. */
  readonly texts: readonly string[];
}

/** Text to be written to the socket in one go. */
export type Piece = string;

const SECOND_WORD = 2;
const FLOOD = "flood ".repeat(680);
const STAMP = { id: "upstream-id", created: 1, model: "upstream-model" };
const TOOL_CALL = { id: "call_1", type: "function" };
const ARGUMENTS = ['{"city":', ' "Par', 'is"}'];

const wordsOf = (text: string): string[] => text.split(/(?<= )/);

function usageOf(texts: readonly string[]): object {
  const completion = texts.reduce((sum, text) => sum + wordsOf(text).length, 0);
  return { prompt_tokens: 7, completion_tokens: completion, total_tokens: 7 + completion };
}

/** The answer in one piece. */
export function answerBody({ behaviour, chat, texts }: FakeRequest): object {
  const bare = behaviour === "bare";
  const choices = texts.map((text, index) => {
    const extras = bare ? {} : { index, logprobs: null };
    if (!chat) return { text, finish_reason: "stop", ...extras };
    if (behaviour === "tools") return toolAnswer();
    const message = bare ? { content: text } : { role: "assistant", content: text, refusal: null };
    return { message, finish_reason: "stop", ...extras };
  });
  const object = chat ? "chat.completion" : "text_completion";
  const more = bare ? { system_fingerprint: null } : {};
  if (behaviour === "uncounted") return { ...STAMP, object, choices };
  return { ...STAMP, object, choices, usage: usageOf(texts), ...more };
}

function toolAnswer(): object {
  const call = { ...TOOL_CALL, function: { name: "weather", arguments: ARGUMENTS.join("") } };
  const message = { role: "assistant", content: null, refusal: null, tool_calls: [call] };
  return { index: 0, logprobs: null, finish_reason: "tool_calls", message };
}

/** The events of a stream. Ends early, throws or never ends, as the behaviour says. */
export async function* pieces(request: FakeRequest): AsyncGenerator<Piece> {
  const { behaviour, argument, chat, texts } = request;
  const event = (choices: object[], more: object = {}) =>
    `data: ${JSON.stringify({ ...STAMP, object: "x", choices, ...more })}\n\n`;
  if (behaviour === "bare") {
    yield* barePieces(request, event);
    return;
  }
  if (chat) {
    yield event([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]);
  }
  if (behaviour === "tools") {
    yield* toolPieces(event);
    return;
  }
  const said = (text: string, index: number) =>
    chat
      ? { index, delta: { content: text }, finish_reason: null }
      : { index, text, logprobs: null, finish_reason: null };
  for (const [index, text] of texts.entries()) {
    const words = wordsOf(text);
    for (let i = 0; ; i++) {
      if (behaviour === "endless" || behaviour === "gap") await Bun.sleep(Number(argument));
      const word = behaviour === "endless" ? `${i} ` : behaviour === "flood" ? FLOOD : words[i];
      if (word === undefined) break;
      yield event([said(word, index)]);
      if (i + 1 !== SECOND_WORD) continue;
      // So that what came before has arrived when the fault does.
      if (behaviour === "breaks" || behaviour === "error") await Bun.sleep(Number(argument));
      if (behaviour === "breaks") throw new Error("breaks");
      if (behaviour === "unfinished") return;
      if (behaviour === "garbage") yield "data: {oops\n\n";
      if (behaviour === "error") {
        yield `data: ${JSON.stringify({ error: { message: "overloaded", code: 502 } })}\n\n`;
        return;
      }
    }
    const end = chat ? { delta: {} } : { text: "", logprobs: null };
    yield event([{ index, ...end, finish_reason: "stop" }]);
  }
  if (behaviour === "forgets") await new Promise(() => undefined);
  if (behaviour !== "uncounted") yield event([], { usage: usageOf(texts) });
  yield "data: [DONE]\n\n";
}

type Event = (choices: object[], more?: object) => Piece;

function* barePieces({ chat, texts }: FakeRequest, event: Event): Generator<Piece> {
  const words = wordsOf(texts.join(" "));
  for (const [at, word] of words.entries()) {
    const last = at === words.length - 1;
    const piece = chat ? { delta: { content: word } } : { text: word };
    yield event([last ? { ...piece, finish_reason: "stop" } : piece], {
      system_fingerprint: null,
      usage: last ? usageOf(texts) : null,
    });
  }
  yield "data: [DONE]\n\n";
}

function* toolPieces(event: Event): Generator<Piece> {
  const call = (more: object) => [
    { index: 0, delta: { tool_calls: [{ index: 0, ...more }] }, finish_reason: null },
  ];
  yield event(call({ ...TOOL_CALL, function: { name: "weather", arguments: "" } }));
  for (const text of ARGUMENTS) yield event(call({ function: { arguments: text } }));
  yield event([{ index: 0, delta: {}, finish_reason: "tool_calls" }]);
  yield event([], { usage: usageOf(["a b c"]) });
  yield "data: [DONE]\n\n";
}
