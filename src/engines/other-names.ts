import { z } from "zod";
import type { ChatRequest } from "../contract/chat.ts";
import type { CompletionRequest } from "../contract/completions.ts";
import { GatewayError } from "../contract/errors.ts";
import { expected } from "../contract/expected.ts";
import { extendedSampling, standardSampling } from "../contract/sampling.ts";

/** What other engines call a parameter, and ours for the same thing in the same unit. */
const OURS = {
  // Aphrodite
  nsigma: "top_n_sigma",
  // llama.cpp
  n_predict: "max_tokens",
  repeat_penalty: "repetition_penalty",
  dry_penalty_last_n: "dry_range",
  typ_p: "typical_p",
  tfs_z: "tfs",
  // TabbyAPI
  min_temp: "dynatemp_min",
  max_temp: "dynatemp_max",
  temp_exponent: "dynatemp_exponent",
  ban_eos_token: "ignore_eos",
} as const;

const PAIRS = Object.entries(OURS);
export const OTHER_NAMES: readonly string[] = PAIRS.map(([theirs]) => theirs);

const VALUES = z
  .object({ ...standardSampling, ...extendedSampling, max_tokens: z.int().min(0).nullish() })
  .partial();
type Named = z.infer<typeof VALUES>;

/**
 * The request with what it asks for by other engines' names under ours.
 * @throws GatewayError 400 that names the parameter as it was sent: out of its range, or sent by both names
 */
export function inOurNames<R extends ChatRequest | CompletionRequest>(request: R): R {
  let named: Named = {};
  for (const [theirs, ours] of PAIRS) {
    const value: unknown = Reflect.get(request, theirs);
    // llama.cpp's -1 is no limit, which is what saying nothing is.
    if (value === undefined || value === null || (theirs === "n_predict" && value === -1)) continue;
    const own: unknown = Reflect.get(request, ours) ?? Reflect.get(named, ours);
    if (own !== undefined && own !== value)
      throw invalid(
        theirs,
        `'${theirs}' is another name of '${ours}', and the two differ: send one of them.`,
      );
    const read = VALUES.safeParse({ [ours]: value });
    if (!read.success)
      throw invalid(
        theirs,
        `Invalid value for '${theirs}', another name of '${ours}': expected ${expected(VALUES.shape[ours])}.`,
      );
    named = { ...named, ...read.data };
  }
  return { ...request, ...named };
}

/** What the caller called this parameter of ours. */
export function nameSent(request: object, ours: (typeof OURS)[keyof typeof OURS]): string {
  const sent = PAIRS.find(([theirs, own]) => own === ours && Reflect.get(request, theirs) != null);
  return sent?.[0] ?? ours;
}

function invalid(param: string, message: string): GatewayError {
  return new GatewayError("invalid_request", message, { param });
}
