import {
  type DetokenizeRequest,
  type TokenizeRequest,
  unreadOfTokenize,
  WHOLE_CONVERSATION,
} from "../contract/tokenize.ts";
import type { AttemptContext, JsonObject, Reply, Target } from "../types.ts";
import { ask, cannot, unreadable } from "./ask.ts";
import { withPrefix } from "./continuation.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { settleText } from "./text-parts.ts";
import type { Upstream } from "./upstream.ts";
import type { DialectOptions } from "./wire.ts";

/** What each form of server reads of a conversation, besides its messages. */
const READ: { readonly [form: string]: ReadonlySet<string> } = {
  vllm: new Set([
    ...["add_generation_prompt", "continue_final_message", "chat_template_kwargs"],
    ...["tools", "tool_choice"],
  ]),
  llamacpp: new Set(["add_generation_prompt", "chat_template_kwargs", "tools", "tool_choice"]),
  // Rendered here, where the template is known.
  text: WHOLE_CONVERSATION,
};
const NOTHING: ReadonlySet<string> = new Set();

/** Where llama.cpp's server renders a conversation. */
const APPLY_TEMPLATE = "//apply-template";

/**
 * The tokens of a text or a conversation, as the provider's server counts them.
 * @throws GatewayError with the fault `unsupported` where it has no such endpoint, or not for this
 */
export function tokenizing(upstream: Upstream, renderChat: DialectOptions["renderChat"]) {
  const { settings } = upstream;
  const { paths, quirks } = settings.file;

  return async (
    target: Target,
    input: TokenizeRequest,
    context: AttemptContext,
  ): Promise<Reply> => {
    if (paths.tokenize === false) throw cannot(settings.id, "does not tokenize");
    const special = input.add_special_tokens !== false;
    const text = input.input ?? input.text ?? input.prompt;
    const { messages } = input;
    const read = messages === undefined ? NOTHING : (READ[quirks.tokenize_form] ?? NOTHING);
    for (const name of unreadOfTokenize(input, read)) context.dropped.add(name);
    let body: JsonObject;
    switch (quirks.tokenize_form) {
      case "vllm": {
        const what =
          messages === undefined
            ? { prompt: text, add_special_tokens: special }
            : withPrefix(settings, { messages, ...templateOptions(input) });
        body = { model: target.upstreamId, ...what, return_token_strs: true };
        break;
      }
      case "llamacpp": {
        const content =
          messages === undefined ? text : await rendered(upstream, target, input, context);
        body = { content, add_special: special, parse_special: true, with_pieces: true };
        break;
      }
      case "tabby":
        body = { text: messages ?? text, add_bos_token: special };
        break;
      case "text": {
        const content =
          messages === undefined ? text : asText(target, input, messages, renderChat, context);
        body = { model: target.upstreamId, text: content };
      }
    }
    const answer = await ask(upstream, target, paths.tokenize, body, context);
    const { tokens, pieces } = tokensIn(answer);
    if (tokens === null) throw unreadable(settings.id);
    const told = answer.max_model_len ?? target.contextLength;
    return {
      kind: "json",
      body: {
        object: "tokens",
        tokens,
        count: tokens.length,
        length: tokens.length,
        ...(typeof told === "number" ? { max_model_len: told } : {}),
        token_strs: pieces,
      },
      usage: null,
    };
  };
}

/** The text of tokens; undoes `tokenizing`. Throws as it does. */
export function detokenizing(upstream: Upstream) {
  const { settings } = upstream;
  const { paths } = settings.file;

  return async (
    target: Target,
    { tokens }: DetokenizeRequest,
    context: AttemptContext,
  ): Promise<Reply> => {
    if (paths.detokenize === false) throw cannot(settings.id, "does not detokenize");
    const named = settings.file.quirks.tokenize_form === "vllm";
    const body = named ? { model: target.upstreamId, tokens } : { tokens };
    const answer = await ask(upstream, target, paths.detokenize, body, context);
    const text = [answer.prompt, answer.text, answer.content].find(
      (one) => typeof one === "string",
    );
    if (typeof text !== "string") throw unreadable(settings.id);
    return { kind: "json", body: { object: "text", text, prompt: text }, usage: null };
  };
}

function templateOptions(input: TokenizeRequest): JsonObject {
  const { add_generation_prompt: prompt, add_special_tokens: special } = input;
  const { continue_final_message: continues, chat_template_kwargs: variables } = input;
  const tools = toolsOf(input);
  return {
    ...(tools === null ? {} : { tools }),
    ...(variables == null ? {} : { chat_template_kwargs: variables }),
    ...(continues == null ? {} : { continue_final_message: continues }),
    add_generation_prompt: prompt !== false && continues !== true,
    // vLLM's default differs here: templates write their own special tokens.
    ...(typeof special === "boolean" ? { add_special_tokens: special } : {}),
  };
}

/** The tools that a prompt tells of. */
function toolsOf({ tools, tool_choice: choice }: TokenizeRequest): TokenizeRequest["tools"] | null {
  return tools === undefined || tools.length === 0 || choice === "none" ? null : tools;
}

/**
 * A conversation for a server that counts text only: as the model's template writes it, or, where that
 * is not known, a line for each role and the messages' texts, which the caller is told.
 */
function asText(
  target: Target,
  input: TokenizeRequest,
  messages: NonNullable<TokenizeRequest["messages"]>,
  renderChat: DialectOptions["renderChat"],
  context: AttemptContext,
): string {
  const known = renderChat?.(target, { ...input }) ?? null;
  if (known !== null) return known;
  context.notes.set("x-covey-chat-template", "unknown");
  for (const name of unreadOfTokenize(input, NOTHING)) context.dropped.add(name);
  const written = messages.map((message) => {
    const plain: Fields = { ...message };
    settleText(plain);
    return `${message.role}\n${typeof plain.content === "string" ? plain.content : ""}\n`;
  });
  return written.join("");
}

async function rendered(
  upstream: Upstream,
  target: Target,
  input: TokenizeRequest,
  context: AttemptContext,
): Promise<string> {
  const { messages, add_generation_prompt: header, chat_template_kwargs: variables } = input;
  const tools = toolsOf(input);
  const body = {
    messages,
    ...(tools === null ? {} : { tools }),
    ...(variables == null ? {} : { chat_template_kwargs: variables }),
    ...(header == null ? {} : { add_generation_prompt: header }),
  };
  const answer = await ask(upstream, target, APPLY_TEMPLATE, body, context);
  if (typeof answer.prompt !== "string") throw unreadable(upstream.settings.id);
  return answer.prompt;
}

/** Token ids, and their texts where the server gives them. */
function tokensIn(answer: Fields): { tokens: number[] | null; pieces: string[] } {
  if (!Array.isArray(answer.tokens)) return { tokens: null, pieces: [] };
  const strings = Array.isArray(answer.token_strs) ? answer.token_strs : [];
  const pieces = strings.filter((piece) => typeof piece === "string");
  const tokens: number[] = [];
  for (const item of answer.tokens) {
    const known = fieldsOf(item);
    const id = known === null ? item : known.id;
    if (typeof id !== "number" || !Number.isInteger(id)) return { tokens: null, pieces: [] };
    tokens.push(id);
    if (known !== null) pieces.push(pieceText(known.piece));
  }
  return { tokens, pieces };
}

/** llama.cpp gives bytes where a token is no whole character. */
function pieceText(piece: unknown): string {
  if (typeof piece === "string") return piece;
  if (!Array.isArray(piece)) return "";
  return new TextDecoder().decode(
    Uint8Array.from(piece.filter((byte) => typeof byte === "number")),
  );
}
