/**
 * Characters that look alike to the recognition network, told apart by what stands around them. It
 * was taught with Chinese and Latin text at once.
 */
export function untwinned(line: string): string {
  return zeros(plainWidth(line));
}

/** The full-width twins of `!` to `~`, and how far away from those they are (Unicode's "Halfwidth and Fullwidth Forms"). */
const FULL_WIDTH = /[\uFF01-\uFF5E]/g;
const SHIFT = 0xfee0;
const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** Where a line has no East Asian character, its punctuation is not full-width. */
function plainWidth(line: string): string {
  if (EAST_ASIAN.test(line)) return line;
  return line
    .replace(FULL_WIDTH, (twin) => String.fromCodePoint((twin.codePointAt(0) ?? 0) - SHIFT))
    .replaceAll("。", ".")
    .replaceAll("、", ",");
}

/** Begins with a digit, has nothing but digits, their points and the letter, and no other letter beside it. */
const NUMBER = /(?<![\p{L}\d])\d[\doO.,]*[oO][\doO.,]*(?![\p{L}\d])/gu;

/** The letter o within a number is a zero: `10,ooo`. */
function zeros(line: string): string {
  return line.replace(NUMBER, (number) => number.replace(/o/gi, "0"));
}
