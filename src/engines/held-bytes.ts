import { GatewayError } from "../contract/errors.ts";

/** Bytes of files that requests at one model may hold together while they wait and run. */
const MOST = 200_000_000;

/** By the model's place in the pool. */
const held = new WeakMap<object, number>();

/**
 * A line is bounded by the requests in it; those that bring files by their bytes too. One may always
 * come. What is returned lets go of them; calling it twice does no harm.
 * @throws GatewayError 503
 */
export function holdBytes(model: object, bytes: number, most = MOST): () => void {
  const before = held.get(model) ?? 0;
  if (before > 0 && before + bytes > most)
    throw new GatewayError(
      "overloaded",
      "The images that wait for this model are as large together as they may be. Try again later.",
      { retryAfter: RETRY_S },
    );
  held.set(model, before + bytes);
  let holds = true;
  return () => {
    if (!holds) return;
    holds = false;
    held.set(model, (held.get(model) ?? 0) - bytes);
  };
}

const RETRY_S = 10;
