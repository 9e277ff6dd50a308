import { answersAsked } from "../../lib/answers-asked.ts";
import { promptSize } from "../../lib/prompt-size.ts";
import type { Caller, JsonObject, Model, Operation, Target } from "../../types.ts";
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
  /** What it is taken to have used where nobody can tell. */
  readonly most: MostUsed;
}

/** What its prompt likely has, and the most that its answer can have; 0 where nothing bounds it. */
export interface MostUsed {
  readonly promptTokens: number;
  readonly completionTokens: number;
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
  upscale: false,
};
/** These take no tokens of a model's work. */
const FREE: ReadonlySet<Operation> = new Set(["tokenize", "detokenize", "upscale"]);
/** These are answered with an image. */
const MAKES_IMAGES: ReadonlySet<Operation> = new Set(["upscale"]);
const NANO = 1e9;
/** Tokens. A shorter answer is not worth its prompt: it waits for room, unless it would be shorter in an empty minute too. */
const LEAST_ANSWER = 256;
/**
 * A reader's answer is as long as the page, and no model goes on and on: it is not cut where texts usually are.
 * Characters, each a token, of an image in the smallest print that is read, and of a full page.
 */
const READ = { most: 20_480, likely: 4_096 };

/**
 * What a request must be admitted with: an upper bound of what any of its candidates may take. Pure.
 * @param left tokens of the minute to which the answer of a request that says no limit is shortened
 */
export function claimOf(
  caller: Caller,
  plan: Plan,
  operation: Operation,
  input: JsonObject,
  candidates: readonly Candidate[],
  left = plan.limits.tokensPerMinute,
): Claimed {
  const { limits } = plan;
  // What counts tokens and money is the work of a long prompt: only where somebody limits them.
  const counts = (limits.tokensPerMinute > 0 || limits.budget !== null) && !FREE.has(operation);
  const bound = counts
    ? boundOf(plan, operation, input, candidates, left)
    : unbounded(askedOf(operation, input, candidates));
  const { prompt, likely, answer, likelyAnswer } = bound;
  const image = MAKES_IMAGES.has(operation);
  const claim: Claim = {
    keyId: caller.keyId,
    limits,
    tokens: counts ? prompt + answer : 0,
    answer: counts ? answer : 0,
    units: caller.key === null ? 1 : mostUnits(candidates),
    image,
    costNanoUsd: limits.budget === null ? null : dearest(candidates, prompt, answer, image ? 1 : 0),
    likely: {
      tokens: counts ? likely + likelyAnswer : 0,
      costNanoUsd:
        limits.budget === null
          ? 0
          : (dearest(candidates, likely, likelyAnswer, image ? 1 : 0) ?? 0),
    },
  };
  const most = { promptTokens: likely, completionTokens: likelyAnswer };
  const unsent = counts ? OTHER_BOUNDS.filter((name) => (input[name] ?? null) !== null) : [];
  return { claim, maxTokens: bound.maxTokens, unsent, most };
}

interface Bound {
  /** Tokens, of all prompts and of all answers. */
  readonly prompt: number;
  /** Those that the prompts likely have. */
  readonly likely: number;
  readonly answer: number;
  readonly likelyAnswer: number;
  readonly maxTokens: number | null;
}

function unbounded(answer: number): Bound {
  return { prompt: 0, likely: 0, answer, likelyAnswer: answer, maxTokens: null };
}

function boundOf(
  { defaultMaxTokens, limits: { tokensPerMinute } }: Plan,
  operation: Operation,
  input: JsonObject,
  candidates: readonly Candidate[],
  left: number,
): Bound {
  const { most: prompt, likely, media } = promptSize(input);
  if (!ANSWERS[operation]) return { ...unbounded(0), prompt, likely };
  const asked = askedLimit(input);
  const answers = answersAsked(input.prompt);
  const longest = longestAnswer(candidates);
  const within = (tokens: number): number =>
    Math.floor((tokensPerMinute === 0 ? Infinity : room(tokens, prompt, likely)) / answers);
  const reads = candidates[0]?.model.file.engine === "ocr";
  const wanted = reads ? READ.most * Math.max(1, media) : defaultMaxTokens;
  const usual = Math.max(1, Math.min(wanted, longest, within(tokensPerMinute)));
  const least = reads ? usual : Math.min(LEAST_ANSWER, Math.ceil(usual / 2));
  const each =
    asked === null ? Math.max(least, Math.min(usual, within(left))) : Math.min(asked, longest);
  const answer = each * answers;
  const likelyAnswer = reads ? Math.min(answer, READ.likely * Math.max(1, media)) : answer;
  return { prompt, likely, answer, likelyAnswer, maxTokens: asked === null ? each : null };
}

/** What so many tokens leave for the answer: beside the most that a prompt can have, but half of what it likely leaves at least. */
function room(tokens: number, prompt: number, likely: number): number {
  return Math.max(tokens - prompt, (tokens - likely) / 2);
}

function askedLimit(input: JsonObject): number | null {
  const asked = input.max_completion_tokens ?? input.max_tokens;
  return typeof asked === "number" ? asked : null;
}

/** Most tokens of all answers where the request itself bounds them; otherwise 0. */
function askedOf(
  operation: Operation,
  input: JsonObject,
  candidates: readonly Candidate[],
): number {
  const asked = ANSWERS[operation] ? askedLimit(input) : null;
  if (asked === null) return 0;
  return Math.min(asked, longestAnswer(candidates)) * answersAsked(input.prompt);
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
function dearest(
  candidates: readonly Candidate[],
  prompt: number,
  answer: number,
  images: number,
): number | null {
  let most = 0;
  let free = true;
  for (const { targets } of candidates)
    for (const { price } of targets) {
      if (price === null) free = false;
      else {
        const dollars =
          prompt * price.prompt +
          answer * price.completion +
          images * (price.image ?? 0) +
          price.request;
        most = Math.max(most, Math.ceil(dollars * NANO));
      }
    }
  return most === 0 && free ? null : most;
}
