import { z } from "zod";

/** One streamed answer of `/v1/completions`, as its reader saw it. */
export interface TimedCompletion {
  /** Milliseconds from the request to the first text. */
  readonly firstMs: number;
  /** Milliseconds from the request to the last text. */
  readonly lastMs: number;
  readonly promptTokens: number;
  /** Of the prompt's, those that were not computed again. */
  readonly cachedTokens: number;
  readonly tokens: number;
}

const Chunk = z.object({
  choices: z.array(z.object({ text: z.string() })).optional(),
  usage: z
    .object({
      prompt_tokens: z.number(),
      completion_tokens: z.number(),
      prompt_tokens_details: z.object({ cached_tokens: z.number() }).nullish(),
    })
    .nullish(),
  error: z.unknown().optional(),
});

/** Throws an `Error` when there is no answer, or one that is not whole. */
export async function timedCompletion(url: string, body: object): Promise<TimedCompletion> {
  const began = performance.now();
  const response = await fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
  });
  if (response.status !== 200 || response.body === null)
    throw new Error(`${url}: ${response.status}: ${await response.text()}`);
  let [firstMs, lastMs] = [0, 0];
  let usage: z.infer<typeof Chunk>["usage"] = null;
  for await (const data of dataOf(response.body)) {
    if (data === "[DONE]") continue;
    const chunk = Chunk.parse(JSON.parse(data));
    if (chunk.error !== undefined) throw new Error(`${url}: ${data}`);
    usage = chunk.usage ?? usage;
    if (!chunk.choices?.some(({ text }) => text !== "")) continue;
    lastMs = performance.now() - began;
    if (firstMs === 0) firstMs = lastMs;
  }
  if (usage === null || usage === undefined) throw new Error(`${url}: an answer without usage`);
  return {
    firstMs,
    lastMs,
    promptTokens: usage.prompt_tokens,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    tokens: usage.completion_tokens,
  };
}

async function* dataOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: ")) yield line.slice("data: ".length);
  }
}
