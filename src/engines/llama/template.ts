import { Template } from "@huggingface/jinja";
import { GatewayError } from "../../contract/errors.ts";
import type { ChatPrompt, TemplateMessage } from "../protocol.ts";
import { type PromptPiece, ProtectedText } from "./protected-text.ts";

/** Texts of the vocabulary that a template may use, and those that callers may not smuggle in. */
export interface TemplateVocabulary {
  readonly bosText: string;
  readonly eosText: string;
  /** Texts of the tokens that steer the model: never read as such inside a message. */
  readonly controlTexts: readonly string[];
  /** Of these, what an assistant's message may hold, because templates look for it there. */
  readonly ofAssistant: ReadonlySet<string>;
}

/** A model's chat template (Jinja), as Hugging Face's `apply_chat_template` renders it. */
export class ChatTemplate {
  readonly #template: Template;
  readonly #vocabulary: TemplateVocabulary;
  readonly #knowsSystem: boolean;

  /** Throws what the Jinja parser throws when the template is broken. */
  constructor(source: string, vocabulary: TemplateVocabulary) {
    this.#template = new Template(source);
    this.#vocabulary = vocabulary;
    this.#knowsSystem = this.#rendersSystem();
  }

  /** The prompt in pieces. A template that refuses the conversation is a 400 with its own words. */
  render(prompt: ChatPrompt): PromptPiece[] {
    const guard = new ProtectedText(this.#vocabulary.controlTexts);
    const messages = this.#knowsSystem ? prompt.messages : mergeSystem(prompt.messages);
    const protectedPrompt: ChatPrompt = {
      ...prompt,
      messages: messages.map((message) => {
        const kept = message.role === "assistant" ? this.#vocabulary.ofAssistant : undefined;
        return {
          ...guard.protectFields(message, kept),
          role: message.role,
          content: guard.protect(message.content, kept),
        };
      }),
      tools: prompt.tools === null ? null : prompt.tools.map((tool) => guard.protectAny(tool)),
      variables: guard.protectFields(prompt.variables),
    };
    return guard.split(this.#run(protectedPrompt));
  }

  #run(prompt: ChatPrompt): string {
    try {
      return this.#template.render({
        ...prompt.variables,
        messages: prompt.messages,
        add_generation_prompt: prompt.addGenerationPrompt,
        bos_token: this.#vocabulary.bosText,
        eos_token: this.#vocabulary.eosText,
        ...(prompt.tools === null ? {} : { tools: prompt.tools }),
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new GatewayError(
        "invalid_request",
        `This model's chat template refuses these messages: ${reason}`,
        { param: "messages", cause },
      );
    }
  }

  /** Some templates refuse a system message, others drop it without a word. */
  #rendersSystem(): boolean {
    const probe = "system-role-probe";
    try {
      return this.#run({
        kind: "chat",
        messages: [
          { role: "system", content: probe },
          { role: "user", content: "user" },
        ],
        addGenerationPrompt: true,
        tools: null,
        variables: {},
      }).includes(probe);
    } catch (error) {
      if (error instanceof GatewayError) return false;
      throw error;
    }
  }
}

/** Puts what the system messages say in front of the first user message. */
export function mergeSystem(messages: readonly TemplateMessage[]): readonly TemplateMessage[] {
  const system = messages.filter((message) => message.role === "system");
  if (system.length === 0) return messages;
  const text = system.map((message) => message.content).join("\n\n");
  const rest = messages.filter((message) => message.role !== "system");
  const first = rest.findIndex((message) => message.role === "user");
  if (first === -1) return [{ role: "user", content: text }, ...rest];
  return rest.map((message, index) =>
    index === first ? { ...message, content: `${text}\n\n${message.content}` } : message,
  );
}
