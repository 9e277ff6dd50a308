import { type Fields, fieldsOf } from "./fields.ts";

/**
 * Puts the text of a message or a delta where OpenAI's clients look for it, in place: a list of parts
 * becomes one string, and reasoning goes under both names that clients know, OpenRouter's `reasoning`
 * and DeepSeek's `reasoning_content`.
 */
export function settleText(message: Fields): void {
  if (Array.isArray(message.content)) {
    const { text, thought } = ofParts(message.content);
    message.content = text;
    if (thought !== "") message.reasoning = thought;
  }
  const { reasoning, reasoning_content: content } = message;
  if (reasoning === undefined && content === undefined) return;
  if (typeof reasoning === "string" && reasoning !== "") message.reasoning_content = reasoning;
  else if (typeof content === "string" && content !== "") message.reasoning = content;
  else {
    // Nothing: not one of the two names, rather than null beside every piece.
    if (reasoning === null || reasoning === "") delete message.reasoning;
    if (content === null || content === "") delete message.reasoning_content;
  }
}

/** The text of a list of parts; Mistral's `thinking` parts are reasoning. */
function ofParts(parts: readonly unknown[]): { text: string; thought: string } {
  let text = "";
  let thought = "";
  for (const item of parts) {
    const part = fieldsOf(item);
    if (typeof item === "string") text += item;
    else if (typeof part?.text === "string") text += part.text;
    else if (typeof part?.thinking === "string") thought += part.thinking;
    else if (Array.isArray(part?.thinking)) thought += ofParts(part.thinking).text;
  }
  return { text, thought };
}
