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
    const results = resultsBehind(messages, index);
    const callsLeft = countsOf(calls.map(idOf));
    for (const [at, call] of calls.entries()) {
      const { thinking, reasoning_content, reasoning, ...rest } = told;
      out.push(
        at === 0 ? { ...told, tool_calls: [call] } : { ...rest, content: "", tool_calls: [call] },
      );
      const id = idOf(call);
      const mine = results.get(id) ?? [];
      const left = (callsLeft.get(id) ?? 1) - 1;
      callsLeft.set(id, left);
      // Of calls with one id each has one, and the last what is left.
      const taken = left === 0 ? mine.splice(0).reverse() : mine.splice(-1);
      for (const result of taken) {
        out.push(result);
        placed.add(result);
      }
    }
  }
  return out;
}

/** The results that follow a message at once, by the ids of their calls, the first one last. */
function resultsBehind(
  messages: readonly TemplateMessage[],
  index: number,
): Map<unknown, TemplateMessage[]> {
  const results = new Map<unknown, TemplateMessage[]>();
  for (let at = index + 1; messages[at]?.role === "tool"; at++) {
    const result = messages[at];
    if (result === undefined) break;
    const same = results.get(result.tool_call_id);
    if (same === undefined) results.set(result.tool_call_id, [result]);
    else same.push(result);
  }
  for (const same of results.values()) same.reverse();
  return results;
}

function countsOf(ids: readonly unknown[]): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
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
