import type { AttemptContext, Operation, OperationInput, Reply } from "../types.ts";
import { chat } from "./chat.ts";
import { completions } from "./completions.ts";
import type { EngineId } from "./kind.ts";
import { LLAMA } from "./llama/kind.ts";
import { type ModelPool, wrongEndpoint } from "./pool.ts";
import { detokenize, tokenize } from "./tokenize.ts";

/** What the models of one kind answer. */
export type Service = { readonly [O in Operation]?: Serve<O> };

export type Serve<O extends Operation> = (
  pool: ModelPool,
  model: string,
  input: OperationInput[O],
  context: AttemptContext,
) => Promise<Reply>;

/** What each kind of engine answers: one entry each. */
export const SERVICES: Readonly<Partial<Record<EngineId, Service>>> = {
  llama: {
    chat: async (pool, model, input, context) =>
      chat(pool, pool.get(model, LLAMA), input, context, randomSeed()),
    completions: async (pool, model, input, context) =>
      completions(pool, pool.get(model, LLAMA), input, context, randomSeed()),
    tokenize: async (pool, model, input, context) =>
      tokenize(pool, pool.get(model, LLAMA), input, context),
    detokenize: async (pool, model, input, context) =>
      detokenize(pool, pool.get(model, LLAMA), input, context),
  },
};

/** How a model answers an operation. @throws GatewayError 400 where models of its kind don't */
export function serve<O extends Operation>(operation: O): Serve<O> {
  return async (pool, model, input, context) => {
    const pooled = pool.of(model);
    const run = SERVICES[pooled.kind.id]?.[operation];
    if (run === undefined) throw wrongEndpoint(pooled);
    return run(pool, model, input, context);
  };
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
