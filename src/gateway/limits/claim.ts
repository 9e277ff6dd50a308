import type { Caller, JsonObject, Model, Operation, Target } from "../../types.ts";
import { estimatePrompt } from "./estimate.ts";
import type { Claim } from "./limits.ts";
import type { Plan } from "./plans.ts";
import { unitsOf } from "./units.ts";

/** A model that may answer, with the targets that it may answer at. */
export interface Candidate {
  readonly model: Model;
  readonly targets: readonly Target[];
}

export interface Claimed {
  readonly claim: Claim;
  /** The answer's limit that must be sent, since it is what was claimed; null: as the request says. */
  readonly maxTokens: number | null;
  /** Fields that must not be sent, since a server may take them for more than was claimed. */
  readonly unsent: readonly string[];
}

/** What servers call the answer's limit or the number of answers beside the contract's own names; some of them go before those. */
const OTHER_BOUNDS = [
  ...["n_predict", "num_predict", "max_new_tokens", "max_output_tokens", "max_length"],
  ...["best_of", "n_cmpl", "num_return_sequences"],
];

const ANSWERS: Readonly<Record<Operation, boolean>> = {
  chat: true,
  completions: true,
  embeddings: false,
  tokenize: false,
  detokenize: false,
};
/** These take no tokens of a model's work. */
const FREE: ReadonlySet<Operation> = new Set(["tokenize", "detokenize"]);
const NANO = 1e9;

/** What a request must be admitted with: an upper bound of what any of its candidates may take. Pure. */
export function claimOf(
  caller: Caller,
  plan: Plan,
  operation: Operation,
  input: JsonObject,
  candidates: readonly Candidate[],
): Claimed {
  const { limits } = plan;
  // What counts tokens and money is the work of a long prompt: only where somebody limits them.
  const counts = (limits.tokensPerMinute > 0 || limits.budget !== null) && !FREE.has(operation);
  const bound = counts ? boundOf(plan, operation, input, candidates) : NOTHING;
  const claim: Claim = {
    keyId: caller.keyId,
    limits,
    tokens: bound.prompt + bound.answer,
    units: caller.key === null ? 1 : mostUnits(candidates),
    image: false,
    costNanoUsd: limits.budget === null ? null : dearest(candidates, bound),
  };
  const unsent = counts ? OTHER_BOUNDS.filter((name) => (input[name] ?? null) !== null) : [];
  return { claim, maxTokens: bound.maxTokens, unsent };
}

interface Bound {
  /** Tokens, of all prompts and of all answers. */
  readonly prompt: number;
  readonly answer: number;
  readonly maxTokens: number | null;
}

const NOTHING: Bound = { prompt: 0, answer: 0, maxTokens: null };

function boundOf(
  { defaultMaxTokens, limits: { tokensPerMinute } }: Plan,
  operation: Operation,
  input: JsonObject,
  candidates: readonly Candidate[],
): Bound {
  const { tokens: prompt, answers } = estimatePrompt(input);
  if (!ANSWERS[operation]) return { prompt, answer: 0, maxTokens: null };
  const asked = input.max_completion_tokens ?? input.max_tokens;
  const fits = tokensPerMinute === 0 ? Number.POSITIVE_INFINITY : tokensPerMinute - prompt;
  const wanted =
    typeof asked === "number"
      ? asked
      : Math.max(1, Math.min(defaultMaxTokens, Math.floor(fits / answers)));
  const each = Math.min(wanted, longestAnswer(candidates));
  return {
    prompt,
    answer: each * answers,
    maxTokens: typeof asked === "number" ? null : each,
  };
}

/** No target answers with more than this; a context that nobody told has no end. */
function longestAnswer(candidates: readonly Candidate[]): number {
  let longest = 0;
  for (const { targets } of candidates)
    for (const { maxOutput, contextLength } of targets)
      longest = Math.max(longest, maxOutput ?? contextLength ?? Number.POSITIVE_INFINITY);
  return longest === 0 ? Number.POSITIVE_INFINITY : longest;
}

function mostUnits(candidates: readonly Candidate[]): number {
  return candidates.reduce(
    (most, { model, targets }) => Math.max(most, unitsOf(model, targets)),
    1,
  );
}

/** At the dearest target; null when all are known to cost nothing. An unknown price counts as nothing, but is not known. */
function dearest(candidates: readonly Candidate[], { prompt, answer }: Bound): number | null {
  let most = 0;
  let free = true;
  for (const { targets } of candidates)
    for (const { price } of targets) {
      if (price === null) free = false;
      else {
        const dollars = prompt * price.prompt + answer * price.completion + price.request;
        most = Math.max(most, Math.ceil(dollars * NANO));
      }
    }
  return most === 0 && free ? null : most;
}
