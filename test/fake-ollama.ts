import type { Asked } from "./fake-asked.ts";
import type { Saying } from "./fake-said.ts";
import { callsIn, INBAND_MESSAGE, textIn, type Voice } from "./fake-voice.ts";

/** Ollama's own API: a JSON object a line, tool calls whole, counts on the last line. */
export function ollamaVoice(asked: Asked, model: string): Voice {
  const line = (more: object) =>
    `${JSON.stringify({ model, created_at: new Date().toISOString(), ...more })}\n`;
  const said = (content: string, more: object = {}) =>
    asked.chat ? { message: { role: "assistant", content, ...more } } : { response: content };
  let reason = "stop";
  const end = (usage: Extract<Saying, { kind: "usage" }>) => ({
    done: true,
    done_reason: reason,
    total_duration: 5_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: usage.prompt,
    prompt_eval_duration: 1_000_000,
    eval_count: usage.completion,
    eval_duration: 3_000_000,
  });
  const calls: Saying[] = [];
  return {
    contentType: "application/x-ndjson",
    done: null,
    comment: null,
    malformed: '{"model":"x","message":{"content":"lost\n',
    failure: () => `${JSON.stringify({ error: INBAND_MESSAGE })}\n`,
    event(saying) {
      switch (saying.kind) {
        case "role":
          return null;
        case "text":
          return line({ ...said(saying.text), done: false });
        case "reasoning":
          return line({ ...said("", { thinking: saying.text }), done: false });
        case "tool":
          calls.push(saying);
          return null;
        case "finish":
          // Ollama says "stop" after tool calls too.
          reason = saying.reason === "length" ? "length" : "stop";
          return calls.length === 0
            ? null
            : line({ ...said("", { tool_calls: nativeCalls(calls) }), done: false });
        case "usage":
          return line({ ...said(""), ...end(saying) });
      }
    },
    whole(sayings) {
      const thinking = textIn(sayings, "reasoning");
      const more = {
        ...(thinking === "" ? {} : { thinking }),
        ...(callsIn(sayings).length === 0 ? {} : { tool_calls: nativeCalls(sayings) }),
      };
      const usage = sayings.find((saying) => saying.kind === "usage") ?? {
        kind: "usage",
        prompt: 0,
        completion: 0,
      };
      reason =
        sayings.find((saying) => saying.kind === "finish")?.reason === "length" ? "length" : "stop";
      return JSON.parse(line({ ...said(textIn(sayings, "text"), more), ...end(usage) }));
    },
  };
}

function nativeCalls(sayings: readonly Saying[]): object[] {
  return callsIn(sayings).map(({ name, arguments: text }) => ({
    function: { name, arguments: JSON.parse(text) },
  }));
}
