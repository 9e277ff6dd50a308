import { describe, expect, test } from "bun:test";
import { Cover, replaceCovered } from "./cover.ts";
import { PatternError } from "./parse.ts";

const redact = (pattern: string, text: string) => replaceCovered(text, new Cover([pattern]), "#");

/** What RegExp says of every part of the text: the characters that are in some match. */
function byRegExp(pattern: string, text: string): string {
  const whole = new RegExp(`^(?:${pattern})$`);
  const found = new Array<boolean>(text.length).fill(false);
  for (let from = 0; from < text.length; from++) {
    for (let to = from + 1; to <= text.length; to++) {
      if (whole.test(text.slice(from, to))) found.fill(true, from, to);
    }
  }
  return found.map((hit) => (hit ? "#" : ".")).join("");
}

function byCover(cover: Cover, text: string): string {
  const found = new Array<boolean>(text.length).fill(false);
  for (const { from, to } of cover.find(text)) found.fill(true, from, to);
  return found.map((hit) => (hit ? "#" : ".")).join("");
}

describe("a pattern", () => {
  test.each([
    ["hunter2", "my hunter2, hunter22", "my #, #2"],
    ["\\d{4}(?:[ -]?\\d{4}){3}", "pay 4111 1111 1111 1111 now", "pay # now"],
    ["(?i)password:\\s*\\S+", "PassWord:  s3cret! and on", "# and on"],
    ["\\bcat\\b", "cat concat cat.", "# concat #."],
    ["\\Bat", "at cat", "at c#"],
    ["^x|y$", "xx yy", "#x y#"],
    ["[^a-c\\]]", "abc]d", "abc]#"],
    ["[\\w.-]+@[\\w-]+", "to a.b@c-d or e", "to # or e"],
    ["\\u00e4|\\x41", "ä A a", "# # a"],
    ["a|ab|abc", "abcd", "#d"],
    ["(ab|cd)+", "xababcdx", "x#x"],
    ["[]a]", "]a", "#"],
    ["a{2,3}", "a aa aaaa", "a # #"],
  ])("%s", (pattern, text, expected) => {
    expect(redact(pattern, text)).toBe(expected);
  });

  test("several are looked for at once", () => {
    expect(replaceCovered("ab cd ef", new Cover(["ab", "e."]), "#")).toBe("# cd #");
  });

  test("finds what RegExp finds, for patterns and texts made up by chance", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const pick = (list: readonly string[]) => list[random(list.length)] ?? "";
    const make = (depth: number): string => {
      if (depth === 0) return pick(["a", "b", "c", ".", "[ab]", "[^a]", "\\w"]);
      const part = () => make(random(depth));
      return pick([
        `${part()}${part()}`,
        `(?:${part()}|${part()})`,
        `(${part()})${pick(["*", "+", "?", "{2}", "{1,2}", "{2,}"])}`,
      ]);
    };
    for (let i = 0; i < 600; i++) {
      const pattern = make(3);
      const cover = new Cover([pattern]);
      for (let j = 0; j < 4; j++) {
        const text = Array.from({ length: random(9) }, () => pick(["a", "b", "c", "\n"])).join("");
        expect([pattern, text, byCover(cover, text)]).toEqual([
          pattern,
          text,
          byRegExp(pattern, text),
        ]);
      }
    }
  });

  test.each([
    ["(x+x+)+y|hunter2", "x"],
    ["^(\\w+\\s?)*$|hunter2", "aaaa "],
    ["(a|aa)+$|hunter2", "a"],
    ["(.*)*,(.*)*,hunter2|hunter2", ","],
    ["\\w+@|hunter2", "a"],
  ])("%s, which makes RegExp give up, finds its text behind 100 kB of bait", (pattern, bait) => {
    const text = `${bait.repeat(100_000 / bait.length)}! hunter2`;
    expect(redact(pattern, text)).not.toContain("hunter2");
  });

  test("that would need sets without end is given up, and says so", () => {
    const cover = new Cover(["(a|b)*a(a|b){18}c"]);
    let seed = 1;
    const text = Array.from({ length: 50_000 }, () => {
      seed = (seed * 16807) % 2147483647;
      return seed % 2 === 0 ? "a" : "b";
    }).join("");
    expect(() => cover.find(text)).toThrow(PatternError);
    expect(cover.find("aaaaaaaaaaaaaaaaaaaac")).toEqual([{ from: 0, to: 21 }]);
  });

  test.each([
    ["(?=a)", "look-around"],
    ["(?<name>a)", "named groups"],
    ["(a)\\1", "\\1 is not known"],
    ["a*?", "lazy"],
    ["*a", "repeats nothing"],
    ["(a", "not closed"],
    ["a)", "too many"],
    ["[a", "ends too early"],
    ["a{3,2}", "smaller"],
    ["((a{500}){500}){500}", "states"],
    ["[z-a]", "no order"],
    ["\\", "ends too early"],
  ])("%s is refused with a reason", (pattern, reason) => {
    expect(() => new Cover([pattern])).toThrow(PatternError);
    expect(() => new Cover([pattern])).toThrow(reason);
  });
});
