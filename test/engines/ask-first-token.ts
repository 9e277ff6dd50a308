import { z } from "zod";
import type { FirstTokenCase } from "./first-token.ts";

const Answer = z.object({ choices: z.tuple([z.object({ text: z.string() })]) });
/** Asked at once: as many as one batch may have of answers that come out the same alone. */
const AT_ONCE = 3;

/** The first token's text of one answer for each of these seeds, through the HTTP API. */
export async function askFirstTokens(
  url: string,
  model: string,
  { prompt, fields, tokens }: FirstTokenCase,
  seeds: number,
): Promise<string[]> {
  const texts: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < seeds) {
      const seed = next++;
      const response = await fetch(`${url}/v1/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, prompt, max_tokens: tokens, seed, ...fields }),
      });
      const body: unknown = await response.json();
      if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(body)}`);
      texts.push(Answer.parse(body).choices[0].text);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return texts;
}
