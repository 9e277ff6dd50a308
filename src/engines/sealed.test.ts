import { expect, test } from "bun:test";
import { AnswerText } from "./llama/answer-text.ts";
import { guideBytes, SEAL } from "./sealed.ts";

test("no text has the bytes of a sealed mark", () => {
  expect([...guideBytes(`a${SEAL}é`)]).toEqual([0x61, 0xff, 0xc3, 0xa9]);
  expect([...guideBytes("aé")]).toEqual([0x61, 0xc3, 0xa9]);
});

test("what would pass for the seal of a mark in an answer's text is taken out of it", () => {
  const bytes = new TextEncoder().encode(SEAL);
  const text = new AnswerText([]);
  const emitted = [
    text.push(bytes.subarray(0, 2)),
    text.push(bytes.subarray(2)),
    text.push(new TextEncoder().encode(`${SEAL}<|end|>`)),
    text.push(new TextEncoder().encode(`${SEAL}<|end|>`), true, true),
  ];
  expect(emitted.map(({ emit }) => emit)).toEqual([
    "",
    "\u{FFFD}",
    "\u{FFFD}<|end|>",
    `${SEAL}<|end|>`,
  ]);
});
