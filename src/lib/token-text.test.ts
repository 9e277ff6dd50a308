import { expect, test } from "bun:test";
import { byteLevelBytes, TokenText } from "./token-text.ts";

const TEXT = "aé€🙂\u{FEFF}👩‍👩‍👧ñ日本\0z";

test("bytes cut anywhere, inside characters too, give the same text with no U+FFFD", () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const text = new TokenText();
      const parts = [
        bytes.subarray(0, first),
        bytes.subarray(first, second),
        bytes.subarray(second),
      ];
      const pieces = parts.map((part) => text.push(part));
      expect(pieces.join("")).toBe(TEXT);
      for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
    }
  }
});

test("an unfinished character at the end is never shown", () => {
  const text = new TokenText();
  expect(text.push(Uint8Array.from([0x61, 0xf0, 0x9f, 0x99]))).toBe("a");
});

test("a leading byte order mark is text like any other", () => {
  expect(new TokenText().push(new TextEncoder().encode("\u{FEFF}a"))).toBe("\u{FEFF}a");
});

test("byte-level pieces are the bytes they stand for", () => {
  expect(byteLevelBytes("ĠHelloĊ")).toEqual(new TextEncoder().encode(" Hello\n"));
  expect(byteLevelBytes("ðŁĻĤ")).toEqual(new TextEncoder().encode("🙂"));
  expect(byteLevelBytes("日")).toBeNull();
});
