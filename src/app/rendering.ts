import type { ChatTemplates } from "../catalog/chat-templates.ts";
import type { DialectOptions } from "../dialects/index.ts";
import { renderChat } from "../engines/render-chat.ts";
import type { Model } from "../types.ts";

/** Chats as text for the servers that only go on with text; the templates on this machine are looked up at once. */
export function rendering(
  own: readonly Model[],
  templates: ChatTemplates,
): NonNullable<DialectOptions["renderChat"]> {
  for (const model of own) void templates.load(model);
  return ({ model }, request) => {
    const known = templates.of(model);
    return known === null ? null : renderChat(known, request);
  };
}
