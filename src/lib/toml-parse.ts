/** A TOML text that could not be read, and the line (from 1) on which it stops making sense. */
export class TomlError extends Error {
  override readonly name = "TomlError";
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

function attempt(text: string): { value: unknown } | { reason: string } {
  try {
    return { value: Bun.TOML.parse(text) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { reason: message.replace(/^TOML Parse error: /, "") };
  }
}

/**
 * Bun's parser says what is wrong and not where: the fault is on the line after the longest run of
 * whole lines from the top that can be read.
 */
export function parseToml(text: string): unknown {
  const whole = attempt(text);
  if ("value" in whole) return whole.value;
  const lines = text.split("\n");
  let good = lines.length - 1;
  while (good > 0 && !("value" in attempt(lines.slice(0, good).join("\n")))) good--;
  throw new TomlError(whole.reason, good + 1);
}
