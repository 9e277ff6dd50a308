/** What a vocabulary says of one token. */
export interface TokenFacts {
  readonly text: string;
  readonly control: boolean;
  readonly unknown: boolean;
  readonly userDefined: boolean;
  /** Whether an answer ends with it. */
  readonly ends: boolean;
}

export interface Markers {
  /** Texts that callers may not smuggle in as tokens. */
  readonly texts: readonly string[];
  /** Of these, what an assistant's message may hold: templates look for it there. */
  readonly ofAssistant: ReadonlySet<string>;
  /** Of these, those that llama.cpp reads as a token in any text, literal ones too. */
  readonly inAnyText: ReadonlySet<string>;
}

/** How turn markers are written, also those a template puts together: `<|user|>`, `[INST]`. */
const MARKER =
  /^(<\|.+\|>|<｜.+｜>|\[\/?[A-Z_]+\]|<\/?(s|bos|eos)>|<<?\/?SYS>?>|<(start|end)_of_[a-z_]+>)$/su;
const OF_ASSISTANT = /^<\/?(think|thinking|thought|reasoning|tool_calls?)>$/;

/**
 * The tokens that steer a model: control tokens, and of the user-defined ones those that end an
 * answer, look like a turn marker, or stand in the chat template. Others are only frequent texts,
 * such as runs of spaces: some files mark turn markers as user-defined too.
 */
export function markersOf(tokens: Iterable<TokenFacts>, template: string): Markers {
  const texts: string[] = [];
  const ofAssistant = new Set<string>();
  const inAnyText = new Set<string>();
  for (const { text, control, unknown, userDefined, ends } of tokens) {
    if (text === "") continue;
    if (control || unknown) texts.push(text);
    else if (userDefined && (ends || MARKER.test(text) || standsIn(template, text))) {
      texts.push(text);
      inAnyText.add(text);
      if (!ends && OF_ASSISTANT.test(text)) ofAssistant.add(text);
    }
  }
  return { texts, ofAssistant, inAnyText };
}

/** A plain word, a number or a bracket stands in a template for other reasons. */
function standsIn(template: string, text: string): boolean {
  return /\p{L}/u.test(text) && /[^\p{L}\p{N}\s]/u.test(text) && template.includes(text);
}
