/** What one check came to. `–` tells something and is no fault. */
export interface Finding {
  readonly mark: "✓" | "✗" | "–";
  readonly text: string;
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Runs one check; what it throws is the finding. */
export async function finding(name: string, run: () => string | Promise<string>): Promise<Finding> {
  try {
    return { mark: "✓", text: `${name}: ${await run()}` };
  } catch (error) {
    return { mark: "✗", text: `${name}: ${messageOf(error)}` };
  }
}
