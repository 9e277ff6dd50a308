import { z } from "zod";
import type { Price } from "../types.ts";

/** Prices as people write them, in a model file or in the config: US dollars per million tokens. */

const dollars = z.number().min(0);

export const PriceTable = z.strictObject({
  prompt: dollars,
  /** Tokens of the prompt that were read from a cache; without it, as any other. */
  cached: dollars.optional(),
  completion: dollars,
  /** Dollars a request. */
  request: dollars.default(0),
  /** Dollars an image that was made. */
  image: dollars.optional(),
});

/** What is left out is null in a `Price`. */
export interface PriceTable {
  readonly prompt: number;
  readonly cached?: number | undefined;
  readonly completion: number;
  readonly request: number;
  readonly image?: number | undefined;
}

const MILLION = 1e6;

/** The same in dollars a token. */
export function perToken({ prompt, cached, completion, request, image }: PriceTable): Price {
  return {
    prompt: prompt / MILLION,
    cached: cached === undefined ? null : cached / MILLION,
    completion: completion / MILLION,
    request,
    image: image ?? null,
  };
}
