import { GatewayError } from "../../contract/errors.ts";
import {
  type ChatRendering,
  ChatTemplate,
  ChatTemplateError,
  type TemplateMessage,
} from "../../lib/chat-template.ts";
import type { ChatPrompt } from "../protocol.ts";
import { describedTools } from "../tools/described.ts";
import { type PromptPiece, ProtectedText } from "./protected-text.ts";
import { SpecialTexts } from "./special-texts.ts";

/** Texts of the vocabulary that a template may use, and those that callers may not smuggle in. */
export interface TemplateVocabulary {
  readonly bosText: string;
  readonly eosText: string;
  /** Texts of the tokens that steer the model: never read as such inside a message. */
  readonly controlTexts: readonly string[];
  /** Of these, what an assistant's message may hold, because templates look for it there. */
  readonly ofAssistant: ReadonlySet<string>;
}

/** A prompt up to where the answer goes on: what it answers to, and what of it is there already. */
export interface PromptParts {
  readonly head: readonly PromptPiece[];
  readonly begun: readonly PromptPiece[];
}

/** A model's chat template for prompts of strangers: a message can't end itself and begin another. */
export class GuardedTemplate {
  readonly #template: ChatTemplate;
  readonly #vocabulary: TemplateVocabulary;
  readonly #specials: SpecialTexts;

  /** Throws a ChatTemplateError when the template is broken. */
  constructor(source: string, vocabulary: TemplateVocabulary) {
    this.#template = new ChatTemplate(source);
    this.#vocabulary = vocabulary;
    this.#specials = new SpecialTexts(vocabulary.controlTexts);
  }

  /** A template that refuses the conversation is a 400 with its own words. */
  render(prompt: ChatPrompt): PromptParts {
    const guard = new ProtectedText(this.#specials);
    guard.meet([prompt.messages, prompt.tools, prompt.variables]);
    const chat: ChatRendering = {
      messages: prompt.messages.map((message) => this.#guarded(message, guard)),
      addGenerationPrompt: prompt.addGenerationPrompt,
      bosToken: this.#vocabulary.bosText,
      eosToken: this.#vocabulary.eosText,
      tools: prompt.tools === null ? null : prompt.tools.map((tool) => guard.protectAny(tool)),
      variables: guard.protectFields(prompt.variables),
    };
    try {
      return this.#render(chat, prompt.continueFinal, guard);
    } catch (cause) {
      if (!(cause instanceof ChatTemplateError)) throw cause;
      throw new GatewayError(
        "invalid_request",
        `This model's chat template refuses these messages: ${cause.message}`,
        { param: "messages", cause },
      );
    }
  }

  #render(chat: ChatRendering, open: boolean, guard: ProtectedText): PromptParts {
    try {
      if (!open) return { head: guard.split(this.#template.render(chat)), begun: [] };
      const { head, begun } = this.#template.renderOpen(chat);
      return { head: guard.split(head), begun: guard.split(begun) };
    } catch (error) {
      if (!(error instanceof ChatTemplateError) || chat.tools === null) throw error;
      const tools = describedTools(chat.tools);
      // Once: its own words are those about these tools.
      if (JSON.stringify(tools) === JSON.stringify(chat.tools)) throw error;
      return this.#render({ ...chat, tools }, open, guard);
    }
  }

  #guarded(message: TemplateMessage, guard: ProtectedText): TemplateMessage {
    const kept = message.role === "assistant" ? this.#vocabulary.ofAssistant : undefined;
    return {
      ...guard.protectFields(message, kept),
      role: message.role,
      content: guard.protect(message.content, kept),
    };
  }
}

/** The beginning of an answer as it is read: text that looks like a special token is only text. */
export function answerPieces(
  text: string,
  specials: SpecialTexts,
  ofAssistant: TemplateVocabulary["ofAssistant"],
): readonly PromptPiece[] {
  const guard = new ProtectedText(specials);
  return guard.split(guard.protect(text, ofAssistant));
}
