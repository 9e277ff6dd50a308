import { ChatRequest } from "../contract/chat.ts";
import { GatewayError } from "../contract/errors.ts";
import { type ChatTemplate, ChatTemplateError } from "../lib/chat-template.ts";
import type { JsonObject } from "../types.ts";
import { continuesFinal, templateMessages } from "./chat-prompt.ts";
import { endingOf } from "./template-variables.ts";

/** Stands for a token whose text is not known; a noncharacter, so that no template has it. */
const UNKNOWN = "\u{FDD0}";

/**
 * A chat as the text its model reads, up to where an answer begins or goes on, for servers that
 * complete raw text. They put the beginning token in front themselves where the tokenizer does, so
 * it is left out then. Null where it can't be rendered: pictures, a template that refuses, a token
 * that is not known.
 */
export function renderChat(
  known: {
    readonly template: ChatTemplate;
    readonly bosToken: string | null;
    readonly eosToken: string | null;
    readonly addsBos: boolean;
  },
  request: JsonObject,
): string | null {
  const parsed = ChatRequest.safeParse(request);
  if (!parsed.success) return null;
  const { messages, tools, chat_template_kwargs: variables } = parsed.data;
  const bosToken = known.bosToken ?? UNKNOWN;
  try {
    const ending = endingOf(parsed.data);
    const continueFinal = continuesFinal({ ...parsed.data, ...ending });
    const chat = {
      messages: templateMessages(messages),
      addGenerationPrompt: !continueFinal && ending.add_generation_prompt !== false,
      bosToken,
      eosToken: known.eosToken ?? UNKNOWN,
      tools: tools === undefined || tools.length === 0 ? null : tools,
      variables: variables ?? {},
    };
    const open = continueFinal ? known.template.renderOpen(chat) : null;
    const text = open === null ? known.template.render(chat) : open.head + open.begun;
    const begins = known.addsBos && bosToken !== "" && text.startsWith(bosToken);
    const sent = begins ? text.slice(bosToken.length) : text;
    return sent.includes(UNKNOWN) ? null : sent;
  } catch (error) {
    if (error instanceof ChatTemplateError || error instanceof GatewayError) return null;
    throw error;
  }
}
