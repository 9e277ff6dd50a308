import type { Reading } from "./ctc.ts";

/**
 * Letters that the recognition network takes for digits where a line has digits too, by the digit. The letter is
 * then its second choice: in print, 0.01 to 1 times as likely as the digit; of true digits within words
 * it is mostly less than 0.01.
 */
export const LETTERS_LIKE: ReadonlyMap<string, readonly string[]> = new Map([
  ["0", ["o", "O"]],
  ["1", ["l"]],
]);

/**
 * How likely letters must have been, of how likely the digit was, to be taken for it. Measured with print in five
 * fonts, of words beside numbers (the letter is more likely) and of codes (less, but for few with dotted zeros).
 */
const LEAST = {
  /** `o` first in a word, small or capital: `0r`. */
  first: 0.006,
  /** `l` after that: `01d`. */
  second: 0.15,
  /** `o` between letters: `c0m`. */
  within: 0.06,
  /** More than one in a row: `w00t` is a word too. */
  double: 0.15,
  /** `l` between letters: `c1ock`. */
  tall: 0.35,
  /** `o` at the end: `s0`. */
  last: 0.12,
} as const;
/** Small letters that are so many times likelier than the capital are small: of a digit, as high as a capital is, it is seldom sure. */
const SMALL = 18;

/** Letters and digits in a row, and past an apostrophe; not the decimals of a number. */
const WORD = /(?<!\d[.,](?=\d))(?<![\p{L}\d])[\p{L}\d]+(?:['’][\p{L}\d]+)*/gu;
/** `01d` is a word sooner. */
const HEXADECIMAL = /^(?!01\D$)[\da-f]+$/i;
/** Hexadecimal, binary and octal numbers. */
const PREFIXED = /^0(?:x[\da-f]+|b[01]+|o[0-7]+)$/i;
/** A zero, and what is counted. */
const COUNTED =
  /^0(?:[munpkcd]?[mgslbhx]|[kmg]?bit|[kmgt]b|th|st|[ap]m|p[xt]|r?em|min|sec|hrs?|fps|dpi|rpm|deg|bar)$/iu;

/** How likely a letter was where a word has a digit, of how likely the digit was. */
type Like = (index: number, letter: string) => number;

/**
 * A line whose spaces are put in, with letters for the digits 0 and 1 that stand for them in words. Decided by
 * what the network saw besides, and by what stands around them in the word: small letters. Words
 * with other digits among their letters, numbers, capitals and hexadecimal digits stay as they were read.
 */
export function lettered(
  spaced: string,
  { text, rivals }: Pick<Reading, "text" | "rivals">,
): string {
  const seen = [...text].flatMap((each, index) => (each === " " ? [] : [rivals[index]]));
  let next = 0;
  // By UTF-16 units, as expressions count.
  const likes = [...spaced].flatMap((each) => {
    const like = each === " " ? undefined : seen[next++];
    return Array.from({ length: each.length }, () => like);
  });
  return spaced.replace(WORD, (word, at: number) => {
    const host = /^\.\p{Ll}/u.test(spaced.slice(at + word.length));
    return wordOf(word, (index, letter) => likes[at + index]?.get(letter) ?? 0, host);
  });
}

/** `host`: a point and a letter follow, as in names of machines. */
function wordOf(word: string, like: Like, host: boolean): string {
  if (!/[01]/.test(word) || !/\p{Ll}/u.test(word) || PREFIXED.test(word)) return word;
  if (HEXADECIMAL.test(word)) return host ? last(word, like, LEAST.last) : word;
  if (/[2-9]/.test(word.replace(/\d+$/, ""))) return word;
  return last(first(within(word, like), like), like, host ? LEAST.within : LEAST.last);
}

/** `0r`, `01d`, `0'clock`. Before an apostrophe no zero stands; it is as large as what follows that. */
function first(word: string, like: Like): string {
  const elided = /^0['’](\p{L})\p{L}/u.exec(word)?.[1];
  if (elided !== undefined) return `${/\p{Lu}/u.test(elided) ? "O" : "o"}${word.slice(1)}`;
  const ones = /^0(1*)(?=\p{Ll}).*\p{L}$/u.exec(word)?.[1];
  if (ones === undefined || COUNTED.test(word)) return word;
  const [small, capital] = [like(0, "o"), like(0, "O")];
  if (small + capital < LEAST.first) return word;
  if ([...ones].some((_, index) => like(index + 1, "l") < LEAST.second)) return word;
  const letter = small > SMALL * capital ? "o" : "O";
  return letter + "l".repeat(ones.length) + word.slice(1 + ones.length);
}

/** `c0m`, `R0ad`, `bi11ing`. A capital counts where it begins the word, and two small letters come after. */
function within(word: string, like: Like): string {
  return word.replace(
    /(?:(?<=\p{Ll})|(?<=^\p{Lu})(?=[01]+\p{Ll}{2}))[01]+(?=\p{Ll})/gu,
    (digits, at: number) => {
      const zero = /0.*0/.test(digits) ? LEAST.double : LEAST.within;
      const letters = [...digits].every((digit, index) =>
        digit === "0" ? like(at + index, "o") >= zero : like(at + index, "l") >= LEAST.tall,
      );
      return letters ? digits.replaceAll("0", "o").replaceAll("1", "l") : digits;
    },
  );
}

/** `s0`, `fo0.com`. */
function last(word: string, like: Like, least: number): string {
  if (!/^[\p{L}'’]*\p{Ll}0$/u.test(word) || like(word.length - 1, "o") < least) return word;
  return `${word.slice(0, -1)}o`;
}
