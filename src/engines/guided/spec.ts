/**
 * What an answer must be. Plain data: it is checked in the gateway's process (checks.ts), crosses to
 * the child, and is compiled there (`createGuides` in guide.ts).
 */
export type GuideSpec =
  /** One JSON value that fits the schema. */
  | { readonly kind: "json_schema"; readonly schema: unknown }
  /** Any JSON object. */
  | { readonly kind: "json_object" }
  /** A text that the expression matches as a whole. */
  | { readonly kind: "regex"; readonly pattern: string }
  /** One of these texts. */
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** A text that a GBNF grammar makes out of `root`. */
  | { readonly kind: "grammar"; readonly source: string }
  /** Just this text. */
  | { readonly kind: "literal"; readonly text: string }
  /** One after the other. */
  | { readonly kind: "sequence"; readonly parts: readonly GuideSpec[] }
  /** One of these. */
  | { readonly kind: "either"; readonly parts: readonly GuideSpec[] }
  /** Any text in which none of these comes. */
  | { readonly kind: "text"; readonly without: readonly string[] }
  | PairsSpec
  | TriggeredSpec;

/**
 * Free text in which a trigger begins something that is guided: what follows the trigger's `begin`
 * is its `guide`, then its `end`, then free text again. With `freeText` false there is no text but
 * what triggers begin, with nothing (or `separator`) in between.
 */
export interface TriggeredSpec {
  readonly kind: "triggered";
  readonly triggers: readonly {
    readonly begin: string;
    readonly guide: GuideSpec;
    readonly end: string;
  }[];
  readonly freeText: boolean;
  /** How often a trigger comes at least: before that the answer may not end. */
  readonly least: number;
  /** How often at most; null is as often as it likes. What begins one after the last is left free. */
  readonly most: number | null;
  /** Between two of them, where there is no free text. */
  readonly separator: string;
}

/**
 * The properties of one object that fits the schema, in its order, each between marks, and no others.
 * A string's value is its text as it is, any other's is JSON.
 */
export interface PairsSpec extends PairMarks {
  readonly kind: "pairs";
  readonly schema: unknown;
}

export interface PairMarks {
  readonly beforeKey: string;
  /** Between a key and its value. */
  readonly afterKey: string;
  /** What of it is no white space is in no string. */
  readonly afterValue: string;
}
