import { expect, test } from "bun:test";
import { AnswerText } from "./answer-text.ts";

const TEXT = "Olá 🙂, 日本\n\nUser: ✅ end";
const STOPS: readonly (readonly string[])[] = [
  [],
  ["\n\nUser:"],
  ["🙂!", "日本語"],
  ["本\n"],
  ["✅", "🙃"],
  ["end."],
  ["d"],
];

/** Feeds bytes in pieces of the given lengths, over and over, as tokens of these sizes would come. */
function run(bytes: Uint8Array, sizes: readonly number[], stops: readonly string[]) {
  const answer = new AnswerText(stops);
  const shown: string[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    const { emit, stopped } = answer.push(bytes.subarray(at, at + size));
    at += size;
    shown.push(emit);
    if (stopped) return { shown, finish: "stop" };
  }
  shown.push(answer.end());
  return { shown, finish: "length" };
}

test("tokens cut anywhere, in characters and stop strings, give the same text and finish", () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (const stops of STOPS) {
    const ends = stops.map((stop) => TEXT.indexOf(stop)).filter((at) => at !== -1);
    const expected = ends.length === 0 ? TEXT : TEXT.slice(0, Math.min(...ends));
    for (let a = 1; a <= bytes.length; a++)
      for (let b = 1; b <= 6; b++) {
        const { shown, finish } = run(bytes, [a, b, 1], stops);
        expect(shown.join("")).toBe(expected);
        expect(finish).toBe(ends.length === 0 ? "length" : "stop");
        for (const piece of shown) {
          expect(piece.isWellFormed()).toBe(true);
          expect(piece).not.toContain("\u{FFFD}");
        }
      }
  }
});

test("at every moment, what is shown is a beginning of the final text", () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (const stops of STOPS) {
    const final = run(bytes, [bytes.length], stops).shown.join("");
    let shown = "";
    for (const piece of run(bytes, [1], stops).shown) {
      shown += piece;
      expect(final.startsWith(shown)).toBe(true);
    }
  }
});

test("half a character at the end is dropped", () => {
  const answer = new AnswerText([]);
  const text = answer.push(Uint8Array.from([0x61, 0xf0, 0x9f])).emit + answer.end();
  expect(text).toBe("a");
});

test("a stop string that began in the part that was shown ends the answer, and nothing is shown twice", () => {
  const after = (begun: string, rest: string, stops: readonly string[]) => {
    const answer = new AnswerText(stops, begun);
    let shown = "";
    for (const byte of new TextEncoder().encode(rest)) {
      const { emit, stopped } = answer.push(Uint8Array.of(byte));
      shown += emit;
      if (stopped) return [shown, "stop"];
    }
    return [shown + answer.end(), "length"];
  };
  expect(after("one EN", "D two", ["END"])).toEqual(["", "stop"]);
  expect(after("one EN", "TER END", ["END"])).toEqual(["TER ", "stop"]);
  expect(after("one E", "N", ["END"])).toEqual(["N", "length"]);
  expect(after("one", " two", ["END"])).toEqual([" two", "length"]);
  // A whole one that was shown is over; what follows it counts.
  expect(after("an END", " and a D", ["END", "DD"])).toEqual([" and a D", "length"]);
  expect(after("日本", "語。", ["本語"])).toEqual(["", "stop"]);
});
