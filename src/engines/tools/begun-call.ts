import { type CallSyntax, triggerOf } from "./syntax.ts";

/** So much of what announces a call may stand at a text's end by chance: a `<`. */
const BY_CHANCE = 1;

/**
 * Whether a text that is gone on with is inside of a call, or of what announces one: calls are held to
 * their tools from their first character on, so that what began elsewhere could not be.
 */
export function opensCall(syntax: CallSyntax, text: string): boolean {
  const trigger = triggerOf(syntax);
  if (trigger === "") return text.trimStart().startsWith("{");
  const at = text.lastIndexOf(trigger);
  const end = syntax.end.trim();
  if (at !== -1) return end === "" || !text.includes(end, at + trigger.length);
  for (let size = trigger.length - 1; size > BY_CHANCE; size--)
    if (text.endsWith(trigger.slice(0, size))) return true;
  return false;
}
