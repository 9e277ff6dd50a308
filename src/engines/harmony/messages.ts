import type { TemplateMessage } from "../../lib/chat-template.ts";

/**
 * A conversation as gpt-oss' template reads it: a message has one call at most, with its result behind
 * it, and thinking is `thinking`, with what was said before a call, for which there is no other place.
 */
export function harmonyMessages(messages: readonly TemplateMessage[]): TemplateMessage[] {
  const out: TemplateMessage[] = [];
  const placed = new Set<TemplateMessage>();
  for (const [index, message] of messages.entries()) {
    if (placed.has(message)) continue;
    const told = withThinking(message);
    const calls: unknown[] = Array.isArray(told.tool_calls) ? told.tool_calls : [];
    if (calls.length < 2) {
      out.push(told);
      continue;
    }
    const next = messages.slice(index + 1);
    const results = next.slice(0, next.findIndex(({ role }) => role !== "tool") >>> 0);
    for (const [at, call] of calls.entries()) {
      const { thinking, reasoning_content, reasoning, ...rest } = told;
      out.push(
        at === 0 ? { ...told, tool_calls: [call] } : { ...rest, content: "", tool_calls: [call] },
      );
      for (const result of results)
        if (result.tool_call_id === idOf(call)) {
          out.push(result);
          placed.add(result);
        }
    }
  }
  return out;
}

function withThinking(message: TemplateMessage): TemplateMessage {
  const { reasoning_content: thought } = message;
  if (message.role !== "assistant" || typeof thought !== "string" || thought === "") return message;
  if (message.tool_calls === undefined || message.content === "")
    return { ...message, thinking: thought };
  return { ...message, thinking: `${thought}\n${message.content}`, content: "" };
}

function idOf(call: unknown): unknown {
  return typeof call === "object" && call !== null ? Reflect.get(call, "id") : undefined;
}
