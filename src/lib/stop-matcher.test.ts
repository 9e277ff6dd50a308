import { expect, test } from "bun:test";
import { StopMatcher } from "./stop-matcher.ts";

interface Outcome {
  text: string;
  stopped: boolean;
}

function run(pieces: readonly string[], stops: readonly string[]): Outcome {
  const matcher = new StopMatcher(stops);
  let text = "";
  for (const piece of pieces) {
    const { emit, stopped } = matcher.push(piece);
    text += emit;
    if (stopped) return { text, stopped: true };
  }
  return { text: text + matcher.flush(), stopped: false };
}

/** What the definition says, one character at a time, without holding anything back. */
function reference(text: string, stops: readonly string[]): Outcome {
  for (let end = 1; end <= text.length; end++) {
    const ended = stops.filter((stop) => stop !== "" && text.slice(0, end).endsWith(stop));
    const longest = Math.max(0, ...ended.map((stop) => stop.length));
    if (longest > 0) return { text: text.slice(0, end - longest), stopped: true };
  }
  return { text, stopped: false };
}

test("what is completed where nothing ends yet is no end, and what is only begun there may be", () => {
  const matcher = new StopMatcher(["END", "EN"]);
  const push = (text: string, ends: boolean) => {
    matcher.ends = ends;
    return matcher.push(text);
  };
  expect(push("an END, EN", false)).toEqual({ emit: "an END, ", stopped: false });
  expect(push("a", true)).toEqual({ emit: "ENa", stopped: false });
  expect(push(" E", false)).toEqual({ emit: " ", stopped: false });
  expect(push("N", true)).toEqual({ emit: "", stopped: true });
});

/** Every way to cut a text of up to 12 characters into pieces. */
function* everyCut(text: string): Generator<string[]> {
  const units = text.split("");
  for (let mask = 0; mask < 1 << Math.max(0, units.length - 1); mask++) {
    const pieces: string[] = [];
    let piece = "";
    units.forEach((unit, i) => {
      piece += unit;
      if ((mask >> i) & 1) {
        pieces.push(piece);
        piece = "";
      }
    });
    pieces.push(piece);
    yield pieces;
  }
}

const CASES: readonly [text: string, stops: readonly string[]][] = [
  ["abcdefgh", ["def"]],
  ["abcabcabd", ["abcabd"]],
  ["aaaaab", ["aab"]],
  ["xxabcdx", ["bcd", "c"]],
  ["xxabcdx", ["abcd", "cd"]],
  ["hello\n\nUs", ["\n\nUser:"]],
  ["<|user|", ["<|user|>", "</s>"]],
  ["ab🙂c🙃d", ["🙃"]],
  ["no stops", []],
  ["empty", [""]],
];

test("a text cut anywhere gives the same answer, which never holds a part of a stop string", () => {
  for (const [text, stops] of CASES) {
    const expected = reference(text, stops);
    for (const pieces of everyCut(text)) expect(run(pieces, stops)).toEqual(expected);
  }
});

test("random texts over a small alphabet agree with the definition", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 16) % below;
  };
  const word = (length: number) => Array.from({ length }, () => "abc"[random(3)]).join("");
  for (let round = 0; round < 3000; round++) {
    const text = word(random(14));
    const stops = Array.from({ length: random(4) }, () => word(1 + random(4)));
    const pieces = text.match(/.{1,3}/g) ?? [];
    expect(run(pieces, stops)).toEqual(reference(text, stops));
  }
});

test("only what could become a stop string is held back", () => {
  const matcher = new StopMatcher(["STOP"]);
  expect(matcher.push("abcST")).toEqual({ emit: "abc", stopped: false });
  expect(matcher.push("x")).toEqual({ emit: "STx", stopped: false });
});
