import { expect, test } from "bun:test";
import { WordSpaces } from "./word-spaces.ts";

/**
 * A line as pixels: each letter is ink 10 wide, a hyphen is a gap of 3 and a blank one of 14. `read` is
 * what the network made of it: its letters are those of the drawing, its spaces may be fewer.
 */
function lineOf(drawing: string, read: string) {
  const columns: number[] = [];
  const letters: number[] = [];
  for (const sign of drawing) {
    if (sign === "-" || sign === " ") columns.push(...Array(sign === "-" ? 3 : 14).fill(0));
    else {
      letters.push(columns.length + 5);
      columns.push(...Array(10).fill(1));
    }
  }
  const width = columns.length;
  const data = new Float32Array(3 * width * 48);
  for (let x = 0; x < width; x++)
    for (let y = 10; y < 38; y++) data[width * 48 + y * width + x] = (columns[x] ?? 0) * (y % 2);
  let next = 0;
  const places = [...read].map((sign) => (sign === " " ? 0 : (letters[next++] ?? 0)));
  return [
    { text: read, confidence: 1, places },
    { width, height: 48, data },
  ] as const;
}

test("where the ink has a gap as wide as the spaces that were seen, a space is put in", () => {
  const line = lineOf("a-b c-d e-f g-h", "ab cdef gh");
  expect(new WordSpaces().spaced(...line)).toBe("ab cd ef gh");
});

test("a line without any space learns from the lines before it", () => {
  const spaces = new WordSpaces();
  expect(spaces.spaced(...lineOf("a-b c-d", "abcd"))).toBe("abcd");
  spaces.spaced(...lineOf("a-b c-d e-f", "ab cd ef"));
  expect(spaces.spaced(...lineOf("a-b c-d", "abcd"))).toBe("ab cd");
});

test("gaps between letters stay, and Chinese is never spaced", () => {
  const spaces = new WordSpaces();
  spaces.spaced(...lineOf("a-b c-d e-f", "ab cd ef"));
  expect(spaces.spaced(...lineOf("a-b-c-d", "abcd"))).toBe("abcd");
  expect(spaces.spaced(...lineOf("a-b c-d", "你好世界"))).toBe("你好世界");
});
