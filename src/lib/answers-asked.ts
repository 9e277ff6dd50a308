/** How many answers a completion of this prompt has: one, or one for each of several prompts. */
export function answersAsked(prompt: unknown): number {
  return Array.isArray(prompt) && typeof prompt[0] !== "number" ? prompt.length : 1;
}
