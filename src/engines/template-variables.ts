import type { ChatRequest } from "../contract/chat.ts";

/** What a template is told of the conversation itself: no variable of a caller takes its place. */
const ITS_OWN: ReadonlySet<string> = new Set(["messages", "bos_token", "eos_token"]);
const OF_TOOLS: ReadonlySet<string> = new Set(["tools", "xml_tools"]);
/** They say how a prompt ends, as the request's fields of these names do. */
const FLAGS = ["add_generation_prompt", "continue_final_message"] as const;

type Flags = { [Name in (typeof FLAGS)[number]]?: boolean | null | undefined };

/** How the prompt ends, where the request says so among its template's variables, as vLLM reads it. */
export function endingOf(request: Pick<ChatRequest, "chat_template_kwargs"> & Flags): Flags {
  const ending: Flags = {};
  for (const name of FLAGS) {
    const told = request.chat_template_kwargs?.[name];
    const value = request[name] ?? (typeof told === "boolean" ? told : null);
    if (value !== null) ending[name] = value;
  }
  return ending;
}

/**
 * The variables of a request that its template is rendered with, and the names of those that say
 * nothing to it. `words`: those of the template's source.
 */
export function templateVariables(
  request: Pick<ChatRequest, "chat_template_kwargs"> & Flags,
  words: readonly string[],
  hasTools: boolean,
): { readonly variables: { readonly [name: string]: unknown }; readonly unread: string[] } {
  const ending = endingOf(request);
  const variables: { [name: string]: unknown } = {};
  const unread: string[] = [];
  for (const [name, value] of Object.entries(request.chat_template_kwargs ?? {})) {
    const flag = FLAGS.find((each) => each === name);
    const taken = ITS_OWN.has(name) || (hasTools && OF_TOOLS.has(name));
    if (flag === undefined && !taken) variables[name] = value;
    const says = flag === undefined ? words.includes(name) && !taken : ending[flag] === value;
    if (!says && value !== null) unread.push(`chat_template_kwargs.${name}`);
  }
  return { variables, unread };
}
