/** The full-width twin of `!` and what it is away from it (Unicode block "Halfwidth and Fullwidth Forms"). */
const FULL_WIDTH = /[\uFF01-\uFF5E]/g;
const SHIFT = 0xfee0;
const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/**
 * A line with the punctuation of its script. The network was taught with Chinese and Latin text, and mixes
 * up twins that look alike: where a line has no East Asian character, its full-width ones become plain.
 */
export function plainWidth(text: string): string {
  if (EAST_ASIAN.test(text)) return text;
  return text
    .replace(FULL_WIDTH, (twin) => String.fromCodePoint((twin.codePointAt(0) ?? 0) - SHIFT))
    .replaceAll("。", ".")
    .replaceAll("、", ",");
}
