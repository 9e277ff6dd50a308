import { answersAsked } from "../../lib/answers-asked.ts";
import type { JsonObject, Operation, Target } from "../../types.ts";
import type { Transcript } from "./transcript.ts";

/** How an answer that broke off may be gone on with. */
export interface Ways {
  /** Made anew from its beginning, what was sent left out as long as it is the same. */
  readonly restart: boolean;
  /** Gone on with from the text so far. */
  readonly continue: boolean;
}

const GUIDES = [
  ...["guided_json", "guided_regex", "guided_choice", "guided_grammar"],
  ...["structured_outputs", "grammar", "json_schema", "regex", "ebnf"],
];

/** Whether the answer's form is prescribed, so that what follows depends on how it began. */
function isGuided(input: JsonObject): boolean {
  const format = input.response_format;
  const type =
    typeof format === "object" && format !== null && "type" in format ? format.type : "text";
  return type !== "text" || GUIDES.some((name) => input[name] != null);
}

/** Whether the same request gives the same answer once more. */
function isDeterministic(input: JsonObject): boolean {
  return input.temperature === 0 || input.top_k === 1 || typeof input.seed === "number";
}

/**
 * What may be done about an answer of which this was sent. A tool call can only be made anew: it must
 * then come out the same. What is inside reasoning can't be handed to a model as its own words.
 */
export function waysOn(operation: Operation, input: JsonObject, transcript: Transcript): Ways {
  if (transcript.opaque) return { restart: false, continue: false };
  const restart = isDeterministic(input) || transcript.hasTools || transcript.silent;
  const [first, ...others] = transcript.choices.values();
  const single = first !== undefined && others.length === 0 && choicesAsked(operation, input) === 1;
  const inText = single && first.text !== "" && first.refusal === "" && !first.finished;
  const plain = operation === "chat" || isPlainCompletion(input);
  // One that stands across the seam would be seen by nobody.
  const stops = !hasStops(input) || stopsOf(operation, input).length > 0;
  return { restart, continue: inText && plain && stops && !transcript.hasTools };
}

/** Its prompt is a text, and the answer only what follows it. */
function isPlainCompletion({ prompt, echo, suffix }: JsonObject): boolean {
  const text = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt;
  return typeof text === "string" && echo !== true && (suffix == null || suffix === "");
}

/** How many answers there must be. */
export function choicesAsked(operation: Operation, input: JsonObject): number {
  return operation === "completions" ? answersAsked(input.prompt) : 1;
}

/** Whether this target can go on with this answer; by what it declares, never by trial. */
export function canContinue(target: Target, operation: Operation, input: JsonObject): boolean {
  const { prefill, completions, guided } = target.continuation;
  if (isGuided(input) && !guided) return false;
  if (operation === "completions") return completions;
  // A rendered chat's completion tells its log probabilities in another form.
  return prefill || (completions && input.logprobs !== true);
}

/** A request for the rest of an answer. */
export interface Rest {
  readonly input: JsonObject;
  /** What a target is given of the answer, and the white space after that, which it may make again. */
  readonly prefill: (target: Target) => { readonly text: string; readonly space: string };
}

const LIMITS = ["max_tokens", "max_completion_tokens"];

/**
 * The request for what follows `text`, of which so many tokens count against its limits; null when
 * they have used them up.
 */
export function restOf(
  operation: Operation,
  input: JsonObject,
  text: string,
  sentTokens: number,
): Rest | null {
  const rest: JsonObject = { ...input };
  for (const name of LIMITS) {
    const limit = rest[name];
    if (typeof limit !== "number") continue;
    if (limit <= sentTokens) return null;
    rest[name] = limit - sentTokens;
  }
  if (typeof rest.min_tokens === "number") {
    rest.min_tokens = Math.max(0, rest.min_tokens - sentTokens);
  }
  const trimmed = text.trimEnd();
  const space = text.slice(trimmed.length);
  return {
    input: rest,
    prefill: ({ continuation }) =>
      operation === "chat" && continuation.exact ? { text, space: "" } : { text: trimmed, space },
  };
}

const CHARACTERS_PER_TOKEN = 4;
/** A server that sends more than this a piece sends several tokens in one. */
const LONGEST_TOKEN = 8;

/** About how many tokens of an answer were sent, by its pieces and its length. */
export function sentTokensOf(counted: number, characters: number): number {
  if (characters <= counted * LONGEST_TOKEN) return counted;
  return Math.max(counted, Math.ceil(characters / CHARACTERS_PER_TOKEN));
}

/** Stop strings that we can look for ourselves, so that none is missed where two answers are joined. */
export function stopsOf(operation: Operation, input: JsonObject): readonly string[] {
  // Answers side by side are never gone on with.
  if (input.include_stop_str_in_output === true || choicesAsked(operation, input) > 1) return [];
  // Their positions would no longer be those of the text.
  if (input.logprobs != null && input.logprobs !== false) return [];
  return stopStrings(input);
}

function hasStops(input: JsonObject): boolean {
  return stopStrings(input).length > 0;
}

function stopStrings({ stop }: JsonObject): readonly string[] {
  const all = Array.isArray(stop) ? stop : [stop];
  return all.filter((each) => typeof each === "string" && each !== "");
}
