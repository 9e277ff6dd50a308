import type { EmbeddingsRequest } from "../contract/embeddings.ts";
import type { AttemptContext, Reply, Target } from "../types.ts";
import { ask, cannot, unreadable } from "./ask.ts";
import { embeddingsWanted, readEmbeddings } from "./embedding-list.ts";
import { fieldsOf } from "./fields.ts";
import { estimatePrompt } from "./max-tokens.ts";
import { costIn, readUsage } from "./openai-usage.ts";
import type { Upstream } from "./upstream.ts";

/**
 * Vectors of texts, in the form that the caller asked for, whichever the provider answers in.
 * @throws GatewayError with the fault `unsupported` where it has no such endpoint
 */
export function embedding(upstream: Upstream) {
  const { id, file } = upstream.settings;
  const path = file.paths.embeddings;

  return async (
    target: Target,
    input: EmbeddingsRequest,
    context: AttemptContext,
  ): Promise<Reply> => {
    if (path === false) throw cannot(id, "makes no embeddings");
    const { meter } = context;
    meter.startedAt = performance.now();
    // It is at work from here on, whether or not its caller waits for the end.
    meter.promptTokens = estimatePrompt({ prompt: input.input });
    meter.source = "estimated";
    meter.unseen = true;
    const body = { ...input, model: target.upstreamId };
    const answer = await ask(upstream, target, path, body, context);
    const wanted = embeddingsWanted(input.input);
    const data = readEmbeddings(answer.data, wanted, input.encoding_format ?? "float");
    if (data === null) throw unreadable(id);
    const said = fieldsOf(answer.usage);
    const told = readUsage(said)?.prompt ?? null;
    const tokens = told ?? meter.promptTokens;
    meter.promptTokens = tokens;
    meter.source = told === null ? "estimated" : "upstream";
    meter.unseen = false;
    meter.providerCost = said === null ? null : costIn(said);
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    return { kind: "json", body: { object: "list", data, usage }, usage: null };
  };
}
