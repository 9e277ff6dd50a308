import type { Continuation, Model, Price, Target } from "../types.ts";

const NO_CONTINUATION: Continuation = {
  prefill: false,
  completions: false,
  exact: false,
  guided: false,
};

export const FREE: Price = { prompt: 0, cached: null, completion: 0, request: 0, image: 0 };

/** A target with what is known of it; the rest is as where nobody said anything. */
export function targetOf(
  model: Model,
  provider: string,
  upstreamId: string,
  known: Partial<Omit<Target, "id" | "model" | "provider" | "upstreamId">> = {},
): Target {
  const { context_length: contextLength, max_output: maxOutput, quantization } = model.file;
  return {
    id: `${provider}/${upstreamId}`,
    model,
    provider,
    upstreamId,
    priority: 0,
    weight: 1,
    price: null,
    // 0 is a context that nobody told.
    contextLength: contextLength === 0 ? null : contextLength,
    maxOutput: maxOutput ?? null,
    quantization: quantization ?? null,
    collectsData: false,
    concurrencyCost: 1,
    continuation: NO_CONTINUATION,
    parameters: null,
    barred: null,
    ...known,
  };
}
