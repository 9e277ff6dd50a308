import type { Price } from "../types.ts";

const NANO = 1e9;

/** What a call costs at this price, in billionths of a US dollar; null where no price is known. */
export function costNanoUsd(
  price: Price | null,
  promptTokens: number,
  completionTokens: number,
): number | null {
  if (price === null) return null;
  const { prompt, completion, request } = price;
  return Math.round((promptTokens * prompt + completionTokens * completion + request) * NANO);
}
