import { expect, test } from "bun:test";
import { OcrAnswer } from "./answer.ts";
import type { OcrEvent } from "./protocol.ts";

const line = (text: string): OcrEvent => {
  const at = (x: number, y: number) => ({ x, y });
  const box = [at(0.04, 0), at(9.96, 0), at(10, 5), at(0, 5)] as const;
  return { type: "line", line: { text, confidence: 0.98765, box } };
};
const image: OcrEvent = { type: "image", width: 1_000, height: 500 };

function answered(answer: OcrAnswer, ...events: readonly OcrEvent[]): string {
  return events.map((event) => answer.push(event)).join("");
}

test("lines have a line break between them, and images an empty line", () => {
  const answer = new OcrAnswer(null);
  const text = answered(answer, image, line("one"), line("two"), image, line("three"));
  expect(text).toBe("one\ntwo\n\nthree");
  expect(answer.finish).toBe("stop");
});

test("an image without text leaves no empty lines at the beginning", () => {
  expect(answered(new OcrAnswer(null), image, image, line("one"))).toBe("one");
});

test("a token of the answer is a character, and one of the prompt 2,048 pixels that are looked at", () => {
  const answer = new OcrAnswer(null);
  const huge: OcrEvent = { type: "image", width: 6_000, height: 4_000 };
  const text = answered(answer, image, line("añb😀"), huge, line("x"));
  expect(answer.completionTokens).toBe([...text].length);
  expect(answer.promptTokens).toBe(Math.ceil(500_000 / 2_048) + Math.ceil(2_000_000 / 2_048));
  expect(answer.usage).toMatchObject({ images: 2, pixels: 24_500_000, completion_tokens: 7 });
});

test("an answer of at most so many characters ends there, for its length", () => {
  const answer = new OcrAnswer(5);
  expect(answered(answer, image, line("abc"), line("def"), line("ghi"))).toBe("abc\nd");
  expect([answer.isFull, answer.finish, answer.completionTokens]).toEqual([true, "length", 5]);
});

test("one that fits exactly is whole", () => {
  const answer = new OcrAnswer(7);
  answered(answer, image, line("abc"), line("def"));
  expect([answer.isFull, answer.finish]).toEqual([false, "stop"]);
});

test("an answer that was begun elsewhere goes on where it was cut, and counts as any continuation", () => {
  const whole = new OcrAnswer(null);
  answered(whole, image, line("one"), line("two"));
  const answer = new OcrAnswer(null, "one\ntw");
  expect(answered(answer, image, line("one"))).toBe("");
  expect(answer.completionTokens).toBe(0);
  expect(answered(answer, line("two"))).toBe("o");
  expect(answer.completionTokens).toBe(1);
  expect(answer.promptTokens).toBe(whole.promptTokens + 6);
  expect(answer.usage.total_tokens).toBe(whole.usage.total_tokens);
  expect(() => answered(new OcrAnswer(null, "uno"), image, line("one"))).toThrow("otherwise");
});

test("the most that it may have is of what is yet to come", () => {
  const answer = new OcrAnswer(3, "one\ntw");
  expect(answered(answer, image, line("one"), line("two"), line("three"))).toBe("o\nt");
  expect([answer.finish, answer.completionTokens]).toEqual(["length", 3]);
});

test("the extended answer has each line with its confidence and corners, rounded", () => {
  const answer = new OcrAnswer(null);
  answered(answer, image, line("one"));
  expect(answer.images).toEqual([
    {
      width: 1_000,
      height: 500,
      lines: [
        {
          text: "one",
          confidence: 0.988,
          box: [
            [0, 0],
            [10, 0],
            [10, 5],
            [0, 5],
          ],
        },
      ],
    },
  ]);
});
