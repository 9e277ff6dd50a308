/** How a model writes that speaks in channels, as gpt-oss does: https://github.com/openai/harmony */
export interface Harmony {
  /** Stands in front of each mark: `SEAL` where marks are tokens of their own, else nothing. */
  readonly seal: string;
}

/** Marks around and within messages, tokens of their own in its vocabulary. */
export const HARMONY_MARKS = [
  "<|start|>",
  "<|end|>",
  "<|message|>",
  "<|channel|>",
  "<|constrain|>",
] as const;

/** These end an answer besides. */
const ENDS = ["<|call|>", "<|return|>"] as const;

export interface Marks {
  readonly start: string;
  readonly end: string;
  readonly message: string;
  readonly channel: string;
  readonly constrain: string;
  /** All that is no text. */
  readonly all: readonly string[];
}

export function marksOf({ seal }: Harmony): Marks {
  const [start, end, message, channel, constrain] = HARMONY_MARKS;
  // Where they are tokens, those that end an answer add nothing to its text.
  const all = [...HARMONY_MARKS.map((mark) => `${seal}${mark}`), ...(seal === "" ? ENDS : [])];
  return {
    start: `${seal}${start}`,
    end: `${seal}${end}`,
    message: `${seal}${message}`,
    channel: `${seal}${channel}`,
    constrain: `${seal}${constrain}`,
    all,
  };
}

/** What stands in front of an answer's words. */
export const FINAL_HEADER = "<|channel|>final<|message|>";

/** It says how much to think; it can't say not to. */
export const HARMONY_VARIABLES = ["reasoning_effort"] as const;

/** Whether a chat template writes what its model says so. */
export function speaksHarmony(template: string): boolean {
  return template.includes(FINAL_HEADER) && template.includes("<|channel|>analysis<|message|>");
}
