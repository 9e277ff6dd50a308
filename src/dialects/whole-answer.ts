import { GatewayError } from "../contract/errors.ts";
import { toolCallId } from "../lib/id.ts";
import type { Reply } from "../types.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { estimateTokens } from "./max-tokens.ts";
import { completeWholeChoice, withoutStamp } from "./openai-choices.ts";
import { readUsage, settleUsage } from "./openai-usage.ts";
import type { Reading } from "./stream-answer.ts";

/**
 * An answer in one piece as OpenAI's spec has it, with its usage, or one estimated from its length.
 * @throws GatewayError `broken` with fewer choices than were asked for, or where the server says that it gave one up
 */
export function wholeReply(
  answer: Fields,
  {
    provider,
    context,
    chat,
    choices: wanted,
    refuse,
  }: Pick<Reading, "provider" | "context" | "chat" | "choices" | "refuse">,
): Reply {
  const { callId, meter } = context;
  const given = (Array.isArray(answer.choices) ? answer.choices : []).map(fieldsOf);
  const choices: Fields[] = [];
  for (const [position, choice] of given.entries()) {
    if (choice === null) continue;
    if (choice.error !== null && choice.error !== undefined) throw refuse(choice.error);
    const newId = (call: number) => toolCallId(callId, position, call);
    const whole = completeWholeChoice(choice, position, chat, newId);
    if (whole === null) throw refuse(null);
    choices.push(whole);
  }
  if (choices.length < wanted) {
    const few = choices.length === 0 ? "no choices" : `${choices.length} of ${wanted} choices`;
    throw new GatewayError("upstream_error", `'${provider.id}' answered with ${few}.`, {
      fault: "broken",
    });
  }
  const usage = settleUsage(meter, readUsage(answer.usage), estimateTokens(lengthOf(choices)));
  return { kind: "json", body: { ...withoutStamp(answer), choices, usage }, usage };
}

/** Characters that were made: text, reasoning and tool calls. */
function lengthOf(choices: readonly Fields[]): number {
  let length = 0;
  for (const choice of choices) {
    const message = fieldsOf(choice.message);
    const calls = message?.tool_calls;
    for (const text of [choice.text, message?.content, message?.reasoning]) {
      if (typeof text === "string") length += text.length;
    }
    if (Array.isArray(calls)) length += JSON.stringify(calls.map((call) => call.function)).length;
  }
  return length;
}
