import { expect, test } from "bun:test";
import { createGuides } from "./guided/guide.ts";
import { vocabularyOf } from "./guided/token-trie.ts";
import { AnswerText } from "./llama/answer-text.ts";
import { guideBytes, plainGuideBytes, SEAL } from "./sealed.ts";

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

test("no token of a single byte passes for the seal of a mark that a guide asks for", () => {
  const [end, byte, copied, mark, both] = [
    Buffer.of(),
    Buffer.of(0xff),
    Buffer.from("<|end|>"),
    guideBytes(`${SEAL}<|end|>`),
    Buffer.of(0x61, 0xff),
  ];
  const plain = [end, byte, copied].map(plainGuideBytes);
  const tokens = [...plain, mark, plainGuideBytes(both)];
  const guides = createGuides(vocabularyOf(tokens, [0]));
  const mask = new Uint32Array(1);
  const allowed = () => tokens.keys().filter((token) => (((mask[0] ?? 0) >> token) & 1) === 1);
  guides.compile({ kind: "literal", text: `${SEAL}<|end|>` }).allow(mask);
  expect([...allowed()]).toEqual([3]);
  guides.compile({ kind: "text", without: [`${SEAL}<|end|>`] }).allow(mask);
  expect([...allowed()]).toEqual([0, 2]);
});
