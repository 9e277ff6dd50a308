import type { Token } from "node-llama-cpp";
import type { ScoredToken } from "../protocol.ts";
import type { Distribution } from "../sampling/distribution.ts";
import type { Vocabulary } from "./tokens.ts";

/** What OpenAI's and vLLM's servers send where a probability is too small for a number. */
const LEAST_LOGPROB = -9999;

/**
 * What the model thought of a token that was taken, and of the `top` likeliest in its place. `part`:
 * the token's bytes where it is, when they are not its own; null without a distribution.
 */
export function scoreOf(
  token: Token,
  distribution: Distribution | null,
  top: number,
  vocabulary: Vocabulary,
  part: Uint8Array = vocabulary.bytes(token),
): ScoredToken {
  const shown = part.length > 0;
  const own = written(shown ? part : vocabulary.bytes(token, true));
  if (distribution === null) return { ...own, shown, logprob: null, top: [] };
  const { ids, logits, size } = distribution;
  const total = logOfSum(distribution);
  const place = ids.subarray(0, size).indexOf(token);
  const logprobAt = (at: number) => Math.min(0, (logits[at] ?? 0) - total);
  const likeliest = Array.from({ length: Math.min(top, size) }, (_, at) => {
    const bytes = vocabulary.bytes(vocabulary.known(ids[at] ?? 0), true);
    return { ...written(bytes), logprob: logprobAt(at) };
  });
  const logprob = place === -1 ? LEAST_LOGPROB : logprobAt(place);
  return { ...own, shown, logprob, top: likeliest };
}

/** The logarithm of the sum of the exponentials of all logits; the highest is the first. */
function logOfSum({ logits, size }: Distribution): number {
  const highest = logits[0] ?? 0;
  let sum = 0;
  for (let at = 0; at < size; at++) sum += Math.exp((logits[at] ?? 0) - highest);
  return highest + Math.log(sum);
}

function written(bytes: Uint8Array): { text: string; bytes: number[] } {
  return { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), bytes: [...bytes] };
}
