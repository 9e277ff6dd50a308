import { expect, test } from "bun:test";
import { matches, readerOf } from "../../../test/guided/matches.ts";
import { forSeeds, type Seeded } from "../../../test/seeded.ts";
import { SpecError } from "./spec-error.ts";

/** All texts of at most so many of these characters. */
function textsOf(characters: string, most: number): string[] {
  const all = [""];
  for (const text of all)
    if (text.length < most) for (const one of characters) all.push(text + one);
  return all;
}

const TEXTS = textsOf("ab-", 5);

function madeUp(random: Seeded, depth: number): string {
  const inner = () => madeUp(random, depth - 1);
  switch (random.below(depth > 0 ? 11 : 4)) {
    case 0:
      return "a";
    case 1:
      return random.pick(["b", "-", "\\w", "[^a]", "[a-b]"]);
    case 2:
      return ".";
    case 3:
      return "ab";
    case 4:
      return `(${inner()}|${inner()})`;
    case 5:
      return `(?:${inner()})${random.pick(["*", "+", "?", "*?", "{2}", "{1,2}", "{2,}"])}`;
    case 6:
      return `(^${inner()}|${inner()}$)`;
    case 7:
      return `(?<n${random.below(1e9)}>${inner()})?`;
    case 8:
      return `(?${random.pick(["=", "!"])}${inner()}${random.pick(["", "$"])})${inner()}`;
    default:
      return inner() + inner();
  }
}

/** What can be matched, and is refused: a look ahead that is repeated, or beside a `^`. */
function isRefused(pattern: string): boolean {
  try {
    readerOf({ kind: "regex", pattern });
  } catch (error) {
    if (error instanceof SpecError) return /[Ll]ook(ing)? ahead/.test(error.message);
    throw error;
  }
  return false;
}

test("a made-up expression takes the texts that RegExp matches as a whole, and no others", () => {
  forSeeds(150, (random) => {
    const pattern = madeUp(random, 3);
    const expected = new RegExp(`^(?:${pattern})$`, "u");
    if (!TEXTS.some((text) => expected.test(text)) || isRefused(pattern)) return;
    const read = readerOf({ kind: "regex", pattern });
    for (const text of TEXTS)
      if ((read(text) === "whole") !== expected.test(text))
        throw new Error(`${pattern} on ${JSON.stringify(text)}`);
  });
});

test("a schema's pattern may match anywhere, as JSON Schema has it", () => {
  forSeeds(100, (random) => {
    const pattern = madeUp(random, 2);
    const expected = new RegExp(pattern, "u");
    if (!TEXTS.some((text) => expected.test(text)) || isRefused(pattern)) return;
    const read = readerOf({ kind: "json_schema", schema: { type: "string", pattern } });
    for (const text of TEXTS)
      if ((read(JSON.stringify(text)) === "whole") !== expected.test(text))
        throw new Error(`${pattern} on ${JSON.stringify(text)}`);
  });
});

test("no beginning of a text leads nowhere, also where a length is bounded", () => {
  const schema = { type: "string", pattern: "^(ab|-)+$", minLength: 3, maxLength: 4 };
  const read = readerOf({ kind: "json_schema", schema });
  const whole = textsOf("ab-", 4).filter((text) => read(JSON.stringify(text)) === "whole");
  expect(whole.sort()).toEqual(["---", "----", "--ab", "-ab", "-ab-", "ab-", "ab--", "abab"]);
  for (const text of textsOf("ab-", 5))
    if (read(`"${text}`) === "begun") expect(whole.some((one) => one.startsWith(text))).toBe(true);
});

test("characters are code points, in UTF-8 and nothing else", () => {
  const any = { kind: "regex", pattern: "..?" } as const;
  expect(matches(any, "🙂é")).toBe(true);
  expect(matches(any, "🙂éa")).toBe(false);
  const read = readerOf({ kind: "regex", pattern: "[^a]+" });
  for (const bytes of [
    [0x80],
    [0xc0, 0x80],
    [0xe0, 0x80],
    [0xed, 0xa0],
    [0xf4, 0x90],
    [0xf5],
    [0xff],
  ])
    expect(read(Uint8Array.from(bytes))).toBe("neither");
  expect(read(Uint8Array.from([0xf0, 0x9f]))).toBe("begun");
  expect(readerOf({ kind: "regex", pattern: "[à-é]" })(Uint8Array.from([0xc4]))).toBe("neither");
});

test("two surrogates in a row are one character, as with the flag u", () => {
  for (const pattern of ["\\ud83d\\ude00+", "[\\uD83D\\uDE00-\\ud83d\\ude02]{2}"]) {
    const read = readerOf({ kind: "regex", pattern });
    expect(new RegExp(`^(?:${pattern})$`, "u").test("😀😀")).toBe(true);
    expect(read("😀😀")).toBe("whole");
    expect(read("😱")).toBe("neither");
  }
});

test("a dash beside a class is one", () => {
  for (const pattern of ["[\\d-x]", "[x-\\d]", "[-\\dx]"]) {
    const read = readerOf({ kind: "regex", pattern });
    for (const text of ["7", "-", "x"]) expect(read(text)).toBe("whole");
    expect(read("e")).toBe("neither");
  }
});

test("a bracket or a brace that closes nothing, and a brace that begins no count, are characters", () => {
  for (const pattern of [
    "{a}",
    "]a}",
    "a{,2}",
    "a{",
    "a{2",
    "a*{b}",
    "(?:a{x})*",
    "[a]]",
    "a{1,2}{}",
    "{{1}{,",
  ]) {
    const expected = new RegExp(`^(?:${pattern})$`);
    const read = readerOf({ kind: "regex", pattern });
    const anywhere = readerOf({
      kind: "json_schema",
      schema: { type: "string", pattern: `^${pattern}$` },
    });
    const texts = textsOf("a{},", 4).concat([
      "a{,2}",
      "a{2",
      "aa{b}",
      "a{x}a{x}",
      "]a}",
      "a]",
      "{{,",
    ]);
    expect(texts.some((text) => expected.test(text))).toBe(true);
    for (const text of texts) {
      const found = expected.test(text);
      expect([pattern, text, read(text) === "whole"]).toEqual([pattern, text, found]);
      expect([pattern, text, anywhere(`"${text}"`) === "whole"]).toEqual([
        pattern,
        text,
        new RegExp(`^${pattern}$`).test(text),
      ]);
    }
  }
});

test.each([
  ["(?<=a)b", "looking behind"],
  ["(?:a(?=b))*b", "Looking ahead inside of what is repeated"],
  ["(?=a)(^a|b)", "A ^ inside of or behind a look ahead"],
  ["(?=a)*b", "a quantifier stands after"],
  ["(?=a)b", "no text at all"],
  ["(a)\\1", "reference"],
  ["\\bword", "\\b"],
  ["\\p{L}", "\\p"],
  ["(a", "not closed"],
  ["a)", ") too many"],
  ["*a", "behind a backslash"],
  ["{2}a", "nothing in front"],
  ["a|{2,}", "nothing in front"],
  ["a{2}{3}", "a quantifier stands after"],
  ["a{100000000000000000000000}", "a count is over"],
  ["a{3,2}", "second count"],
  ["[z-a]", "no order"],
  ["[]", "no text at all"],
  ["a^b", "no text at all"],
])("%s is refused", (pattern, reason) => {
  const use = () => matches({ kind: "regex", pattern }, "");
  expect(use).toThrow(SpecError);
  expect(use).toThrow(reason);
});
