import type { TemplateMessage } from "../lib/chat-template.ts";
import type { KvType } from "../lib/footprint.ts";
import type { ChatFormat } from "./chat-format.ts";
import type { FailedEvent } from "./frame.ts";
import type { GuideSpec } from "./guided/spec.ts";
import type { Thinking } from "./reasoning/markers.ts";

/**
 * What the gateway and the child process that holds one text model say to each other, inside of the
 * frame that all engines have.
 */

/** What to sample with. Every field is set: the library's own defaults never apply. */
export interface Sampling {
  /** 0 takes the likeliest token each time. */
  readonly temperature: number;
  readonly topP: number;
  /** 0 is off. */
  readonly topK: number;
  readonly minP: number;
  /** 32 bits, never 0xFFFFFFFF, which the library reads as "random". */
  readonly seed: number;
  /** Subtracted from the logits of tokens the answer has, as OpenAI defines it. */
  readonly presencePenalty: number;
  /** The same, times how often the answer has them. */
  readonly frequencyPenalty: number;
  /** Divides the logits of tokens that prompt or answer have; 1 is off. */
  readonly repetitionPenalty: number;
  /** Added to the logits of these tokens. */
  readonly logitBias: readonly (readonly [token: number, bias: number])[];
  readonly xtc: { readonly probability: number; readonly threshold: number } | null;
  readonly dry: {
    readonly multiplier: number;
    readonly base: number;
    readonly allowedLength: number;
    /** How many of the last tokens count, of prompt and answer; null is all. */
    readonly range: number | null;
    readonly sequenceBreakers: readonly string[];
  } | null;
  /** Takes the place of `temperature`, unless that is 0. */
  readonly dynamicTemperature: {
    readonly min: number;
    readonly max: number;
    readonly exponent: number;
  } | null;
  /** 0 is off. */
  readonly topA: number;
  /** 1 is off. */
  readonly tailFree: number;
  /** 1 is off. */
  readonly typicalP: number;
  /** A probability; 0 is off. */
  readonly epsilonCutoff: number;
  /** A probability; 0 is off. */
  readonly etaCutoff: number;
  /** Standard deviations; 0 is off. */
  readonly topNSigma: number;
  readonly smoothing: { readonly factor: number; readonly curve: number } | null;
  readonly mirostat: {
    readonly version: 1 | 2;
    /** Bits. */
    readonly tau: number;
    readonly eta: number;
  } | null;
  /** 0 is off. */
  readonly noRepeatNgramSize: number;
  /** The answer ends by no token before it has so many; `stopTokens` are held back too. */
  readonly minTokens: number;
  /** No token that ends a text is ever sampled, unless nothing else may come. */
  readonly ignoreEndOfText: boolean;
  /** Each ends the answer, like the model's own end tokens. */
  readonly stopTokens: readonly number[];
  /** No others come; null for all. */
  readonly allowedTokens: readonly number[] | null;
  /** The text that ended the answer, be it a stop string or a stop token's, is part of it. */
  readonly includeStop: boolean;
  /** Control tokens add nothing to the answer's text. */
  readonly skipSpecialTokens: boolean;
}

export interface ChatPrompt {
  readonly kind: "chat";
  readonly messages: readonly TemplateMessage[];
  readonly addGenerationPrompt: boolean;
  /** The last message is the beginning of the answer, and stays open. */
  readonly continueFinal: boolean;
  readonly tools: readonly unknown[] | null;
  /**
   * What the answer begins with, and is not told of it, as the template would write it; before it,
   * thinking that the template opens is closed. Null for an answer that begins as it likes.
   */
  readonly opening: string | null;
  /**
   * The guide is for what follows the answer's thinking, in which these texts do not come besides what
   * ends it. Null where it is for all of the answer.
   */
  readonly thinksFirst: readonly string[] | null;
  /** More variables for the template. */
  readonly variables: { readonly [name: string]: unknown };
}

/** Text as the model reads it, special tokens included. */
export interface TextPrompt {
  readonly kind: "text";
  readonly text: string;
  readonly addSpecialTokens: boolean;
}

export interface TokenPrompt {
  readonly kind: "tokens";
  readonly tokens: readonly number[];
}

export type PromptSource = ChatPrompt | TextPrompt | TokenPrompt;

export interface GenerateOptions {
  readonly prompt: PromptSource;
  /** The beginning of the answer, which is given already; null to begin anew. */
  readonly prefill: string | null;
  readonly sampling: Sampling;
  readonly stop: readonly string[];
  /** What the answer must be, checked; null is any text. */
  readonly guide: GuideSpec | null;
  /** Most tokens to sample; null is what is left of the context. */
  readonly maxTokens: number | null;
  /**
   * The same request has to give the same text, whatever runs beside it. Costs the use of the
   * cache, because a token's state differs in the last bits with the batch it was computed in.
   */
  readonly reproducible: boolean;
  /** Tell each token's score, and those of so many others that could have come; null tells none. */
  readonly logprobs: number | null;
  /** Tell the prompt's text; with `logprobs` its tokens' scores too, which costs the use of the cache. */
  readonly echo: boolean;
}

/** How likely the model itself found a token, before any sampler. */
export interface ScoredToken {
  /** What it adds to a text; a marker as the vocabulary writes it. Half a character is U+FFFD. */
  readonly text: string;
  readonly bytes: readonly number[];
  /** Whether it is text: a marker adds nothing to one. */
  readonly shown: boolean;
  /** Natural logarithm of its probability; null for the first one of a prompt. */
  readonly logprob: number | null;
  /** The likeliest tokens in its place, the likeliest first. */
  readonly top: readonly {
    readonly text: string;
    readonly bytes: readonly number[];
    readonly logprob: number;
  }[];
}

export interface LoadOptions {
  readonly path: string;
  readonly contextSize: number;
  /** Requests that run at once. */
  readonly sequences: number;
  readonly threads: number;
  /** Whether an answer may begin with the state of another owner's. */
  readonly sharedPrefixes: boolean;
  /** Tokens that are evaluated in one go, at most. */
  readonly batchSize: number;
  readonly kvType: KvType;
  readonly gpu: boolean;
  /** Replaces the chat template inside the weights. */
  readonly template: string | null;
  /** What stands around its thinking; false for none, null for what the template tells. */
  readonly thinking: Thinking | false | null;
}

export type LlamaAsk =
  | {
      readonly type: "generate";
      readonly options: GenerateOptions;
      /** Whose answer it is: the id of a key, or what stands for callers without one. */
      readonly owner: string;
    }
  | { readonly type: "tokenize"; readonly prompt: PromptSource }
  | { readonly type: "detokenize"; readonly tokens: readonly number[] };

export interface ReadyInfo {
  /** Tokens of prompt and answer together that one request may have. */
  readonly contextSize: number;
  readonly vocabularySize: number;
  /** Characters of the longest token's text. */
  readonly longestToken: number;
  readonly chat: ChatFormat;
}

/** `completionTokens` counts every sampled token so far, the one that ended the answer included. */
export type ChildEvent =
  | {
      readonly type: "started";
      readonly id: number;
      readonly promptTokens: number;
      /** Of the prompt's tokens, those whose state was still in the cache. */
      readonly cachedTokens: number;
      /** The answer goes on inside of its thinking. */
      readonly thinking: boolean;
      /** It has its form at once, though some thinking was to come first. */
      readonly formAtOnce: boolean;
    }
  | {
      readonly type: "prompt";
      readonly id: number;
      readonly text: string;
      /** Of all of the prompt's tokens; empty unless they were asked for. */
      readonly scores: readonly ScoredToken[];
    }
  | {
      readonly type: "delta";
      readonly id: number;
      readonly text: string;
      /** Of the tokens whose text is out with this; empty unless they were asked for. */
      readonly scores: readonly ScoredToken[];
      readonly completionTokens: number;
    }
  | {
      readonly type: "done";
      readonly id: number;
      readonly text: string;
      readonly scores: readonly ScoredToken[];
      readonly finish: FinishReason;
      readonly completionTokens: number;
    }
  | {
      readonly type: "tokens";
      readonly id: number;
      readonly tokens: readonly number[];
      readonly pieces: readonly string[];
    }
  | { readonly type: "text"; readonly id: number; readonly text: string }
  | FailedEvent;

export interface LlamaSpeech {
  readonly load: LoadOptions;
  readonly info: ReadyInfo;
  readonly ask: LlamaAsk;
  readonly event: ChildEvent;
}

/** `stop`: the model or a stop string ended the answer. `length`: the token limit or the context did. */
export type FinishReason = "stop" | "length";
