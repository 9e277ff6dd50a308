/** What stands around a model's thinking in its answer. */
export interface Thinking {
  readonly open: string;
  readonly close: string;
}

/** Those of known families; the first one that a chat template mentions is its model's. */
const KNOWN: readonly Thinking[] = [
  { open: "<think>", close: "</think>" },
  { open: "[THINK]", close: "[/THINK]" },
  { open: "<|START_THINKING|>", close: "<|END_THINKING|>" },
  { open: "<seed:think>", close: "</seed:think>" },
  { open: "◁think▷", close: "◁/think▷" },
];

/** The marks of a model with this chat template; null where it mentions none. */
export function detectThinking(template: string): Thinking | null {
  return (
    KNOWN.find(({ open, close }) => template.includes(open) || template.includes(close)) ?? null
  );
}

/**
 * Whether an answer goes on inside of its thinking: after a prompt that ends with the mark that opens
 * it, or after a beginning that opens it; and has not closed it.
 */
export function inThinking({ open, close }: Thinking, prompt: string, begun: string): boolean {
  if (begun.includes(close)) return false;
  return prompt.trimEnd().endsWith(open) || begun.trimStart().startsWith(open);
}
