/** Characters that are tokenised in one go: a tenth of a second where every word is a bad one. */
const LONGEST_SLICE = 2_048;
/** A WordPiece vocabulary knows no word of so many characters: `max_input_chars_per_word` is 100. */
const UNKNOWN_WORD = 1_024;

/** What the tokenizer takes for space. Control characters that JavaScript counts as space are nothing to it. */
const LAST_WORD = /(?<=[ \t\n\r\p{Z}])[^ \t\n\r\p{Z}]*$/u;
const SPACE = /[ \t\n\r\p{Z}]/gu;
/** What is a word for itself: punctuation, and what Chinese is written in. */
const MARK = "\\p{P}!-/:-@[-`{-~\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff";
/** A part of a run without spaces that ends where a word does. A `[` begins one and never ends it: `[SEP]` stays whole. */
const PART = new RegExp(`\\[?[^${MARK}]*(?:(?!\\[)[${MARK}])?`, "gu");
/** What a BERT's normalizer takes out of a word. */
const NOTHING = /[\p{Mn}\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/gu;

/**
 * A text for a WordPiece tokenizer, in slices of up to 2048 characters whose tokens, one after the
 * other, are the text's: the tokenizer takes time in the square of a word's length, and nothing else
 * is done meanwhile. A word too long to be in any vocabulary is shortened: it is one unknown token
 * however long it is.
 */
export function* wordSlices(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const rest = text.length - at;
    if (rest <= LONGEST_SLICE) {
      yield text.slice(at);
      return;
    }
    const words = text.slice(at, at + LONGEST_SLICE).search(LAST_WORD);
    if (words > 0) {
      yield text.slice(at, at + words);
      at += words;
      continue;
    }
    SPACE.lastIndex = at;
    const end = SPACE.exec(text)?.index ?? text.length;
    yield* joined(partsOf(text.slice(at, end)));
    at = end;
  }
}

/** Parts of a run without spaces; a long one as the tokenizer sees it, and then not longer than it matters. */
function* partsOf(run: string): Generator<string> {
  for (const [part] of run.matchAll(PART)) {
    if (part.length <= LONGEST_SLICE) yield part;
    else
      for (const [bare] of bareOf(part).matchAll(PART))
        yield* bare.length <= LONGEST_SLICE ? [bare] : ends(bare);
  }
}

/** Marks go first: to put a great many of them in order takes time in the square of their number. */
function bareOf(part: string): string {
  return part.replace(NOTHING, "").normalize("NFD").replace(NOTHING, "");
}

/** A long word is cut in its middle: marks at its ends are tokens of their own. */
function ends(word: string): readonly string[] {
  return [`${word.slice(0, UNKNOWN_WORD / 2)}${word.slice(-UNKNOWN_WORD / 2)}`.toWellFormed()];
}

function* joined(parts: Iterable<string>): Generator<string> {
  let slice = "";
  for (const part of parts) {
    if (slice !== "" && slice.length + part.length > LONGEST_SLICE) {
      yield slice;
      slice = "";
    }
    slice += part;
  }
  if (slice !== "") yield slice;
}
