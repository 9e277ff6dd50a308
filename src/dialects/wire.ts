import type { AttemptContext, JsonObject, Target } from "../types.ts";
import type { Fields } from "./fields.ts";
import type { Images } from "./images.ts";
import type { Cutter } from "./stream-answer.ts";

/** The operations that make text. */
export type Generation = "chat" | "completions";

/** A key that was refused and is not used for a while, by its place among the provider's keys, from 1. */
export interface KeyRest {
  readonly provider: string;
  readonly key: number;
  readonly keys: number;
  /** The model that it was refused for, as the provider calls it. */
  readonly model: string;
  readonly why: string;
  readonly forMs: number;
}

/** What the composition root lends to the dialects. */
export interface DialectOptions {
  /**
   * A chat as the text its model's template makes of it, ready for an answer to begin; null where the
   * template is not known.
   */
  readonly renderChat?: (target: Target, request: JsonObject) => string | null;
  /** Told when a key comes to rest. Keys are known by their place, from 1. */
  readonly onRest?: (rest: KeyRest) => void;
  /** One for all providers, so that what one attempt fetched serves the next. */
  readonly images?: Images;
}

/** One request, in a provider's words. */
export interface WireRequest {
  /** Below the base URL; from the host's root where it begins with two slashes. */
  readonly path: string;
  readonly body: JsonObject;
  /** How many choices the answer has. */
  readonly choices: number;
  /** An event, or a whole answer, in OpenAI's words for what was asked; null where it makes no sense. */
  readonly adapt: (fields: Fields, whole: boolean) => Fields | null;
}

/** A wire format: how requests are written and answers cut into events. */
export interface Dialect {
  /**
   * @throws GatewayError with the fault `unsupported` for what the provider can't be asked
   */
  request(
    target: Target,
    operation: Generation,
    request: JsonObject,
    context: AttemptContext,
  ): WireRequest;
  cutter(): Cutter;
  /** Names of the parameters that would be dropped. */
  unsupported(target: Target, operation: Generation, request: JsonObject): readonly string[];
}
