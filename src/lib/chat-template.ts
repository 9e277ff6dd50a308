import { Template } from "@huggingface/jinja";

/** A message as chat templates read it: the content is text. Other fields are kept. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string;
  readonly [field: string]: unknown;
}

/** What a template is rendered with. */
export interface ChatRendering {
  readonly messages: readonly TemplateMessage[];
  /** Whether the text ends with the header of the answer to come. */
  readonly addGenerationPrompt: boolean;
  /** Texts of the vocabulary's beginning and end tokens. */
  readonly bosToken: string;
  readonly eosToken: string;
  readonly tools: readonly unknown[] | null;
  /** More variables for the template. */
  readonly variables: { readonly [name: string]: unknown };
}

/** A conversation whose last message is the beginning of the answer, rendered up to where it goes on. */
export interface OpenChat {
  readonly head: string;
  readonly begun: string;
}

/** A template that can't be read, or one that refuses a conversation in its own words. */
export class ChatTemplateError extends Error {
  override readonly name = "ChatTemplateError";
}

/** Noncharacters: no text has a reason to hold them, and no template does anything to them. */
const BEGIN = "\u{10FFFE}";
const END = "\u{10FFFF}";

/** A model's chat template (Jinja), as Hugging Face's `apply_chat_template` renders it. */
export class ChatTemplate {
  readonly #template: Template;
  readonly #knowsSystem: boolean;
  readonly #knowsDeveloper: boolean;

  /** @throws ChatTemplateError when the source is not a template */
  constructor(source: string) {
    this.#template = inItsWords(() => new Template(source));
    // Many templates write any role as it is; one that their model has learned they name.
    this.#knowsDeveloper = /(["'])developer\1/.test(source);
    this.#knowsSystem = this.#rendersSystem();
  }

  /** @throws ChatTemplateError when the template refuses the conversation */
  render(chat: ChatRendering): string {
    const told = this.#knowsDeveloper ? chat.messages : chat.messages.map(asSystem);
    const messages = this.#knowsSystem ? told : mergeSystem(told);
    return inItsWords(() =>
      this.#template.render({
        ...chat.variables,
        messages,
        add_generation_prompt: chat.addGenerationPrompt,
        bos_token: chat.bosToken,
        eos_token: chat.eosToken,
        // SmolLM3's name for them is another one.
        ...(chat.tools === null ? {} : { tools: chat.tools, xml_tools: chat.tools }),
      }),
    );
  }

  /**
   * Renders a conversation that ends with the beginning of an answer, and nothing after it: vLLM's
   * and transformers' `continue_final_message`. Marks around the message find it in what the
   * template made of it, and keep a template that trims from changing the seam.
   * @throws ChatTemplateError, also when the template shows no such message
   */
  renderOpen(chat: ChatRendering): OpenChat {
    const earlier = chat.messages.slice(0, -1);
    const last = chat.messages.at(-1) ?? { role: "assistant", content: "" };
    const marked = { ...last, content: `${BEGIN}${last.content}${END}` };
    const messages = [...earlier, marked];
    const rendered = this.render({ ...chat, messages, addGenerationPrompt: false });
    const end = rendered.lastIndexOf(END);
    if (end === -1) {
      throw new ChatTemplateError("it shows nothing of an assistant's message at the end");
    }
    const begin = rendered.lastIndexOf(BEGIN, end);
    // A template that cut the message's beginning off: what it left is part of the head.
    if (begin === -1) return { head: rendered.slice(0, end), begun: "" };
    const begun = rendered.slice(begin + BEGIN.length, end);
    const head = rendered.slice(0, begin);
    return { head: this.#withoutOwnSpace(head, begun, { ...chat, messages: earlier }), begun };
  }

  /**
   * Some templates trim an answer and put their own space in front, where the model itself began
   * with one: then the head is the one that the model answered to.
   */
  #withoutOwnSpace(head: string, begun: string, earlier: ChatRendering): string {
    if (!/\s$/.test(head)) return head;
    let prompt: string;
    try {
      prompt = this.render({ ...earlier, addGenerationPrompt: true });
    } catch (error) {
      if (error instanceof ChatTemplateError) return head;
      throw error;
    }
    const space = head.slice(prompt.length);
    const own = head.startsWith(prompt) && space.trim() === "" && begun.startsWith(space);
    return own ? prompt : head;
  }

  /** Some templates refuse a system message, others drop it without a word. */
  #rendersSystem(): boolean {
    const probe = "system-role-probe";
    const messages = [
      { role: "system", content: probe },
      { role: "user", content: "user" },
    ];
    try {
      const text = this.#template.render({
        messages,
        add_generation_prompt: true,
        bos_token: "",
        eos_token: "",
      });
      return text.includes(probe);
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }
}

/** OpenAI's newer name for the role. */
function asSystem(message: TemplateMessage): TemplateMessage {
  return message.role === "developer" ? { ...message, role: "system" } : message;
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

/** Jinja throws plain errors, its `raise_exception` too. */
function inItsWords<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new ChatTemplateError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
