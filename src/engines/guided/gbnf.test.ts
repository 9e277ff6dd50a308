import { expect, test } from "bun:test";
import { matches, readerOf } from "../../../test/guided/matches.ts";
import { SpecError } from "./spec-error.ts";

const ARITHMETIC = `
# From llama.cpp's examples
root  ::= (expr "=" ws num "\\n")+
expr  ::= term ([-+*/] term)*
term  ::= num |
          "(" ws expr ")" ws   # nested
num   ::= [0-9]+ ws
ws    ::= [ \\t]*
`;

test("rules, comments, choices over lines, nesting and repetitions are those of llama.cpp", () => {
  const read = readerOf({ kind: "grammar", source: ARITHMETIC });
  for (const text of ["1=1\n", "1+(2 *33)= 7\n8/4=2\n"]) expect(read(text)).toBe("whole");
  for (const text of ["1+=", "()", "1=1 \n\n", "a"]) expect(read(text)).toBe("neither");
  expect(read("((((1")).toBe("begun");
});

test("characters and counts", () => {
  const grammar = (source: string, text: string) => matches({ kind: "grammar", source }, text);
  expect(grammar('root ::= "a"{2,3} [^a-c\\]"]? .', "aad🙂")).toBe(true);
  expect(grammar('root ::= "a"{2,3} [^a-c\\]"]? .', "a]x")).toBe(false);
  expect(grammar('root ::= "\\x41\\u00e9\\U0001F642\\"\\\\"', 'Aé🙂"\\')).toBe(true);
  expect(grammar("root ::= [a-z-]{3}", "a-z")).toBe(true);
  expect(grammar('root ::= a{2} | "x"\na ::= "b"{2}', "bbbb")).toBe(true);
  expect(grammar('root ::= ""', "")).toBe(true);
});

test.each([
  ['start: "a"', "expected '::='"],
  ['?start: expr\nexpr: "a"', "expected the name of a rule"],
  ['root = "a" ;', "expected '::='"],
  ['a ::= "a"', "no rule 'root'"],
  ["root ::= b", "no rule 'b'"],
  ['root ::= "a" | root "b"', "'root' begins with itself"],
  ['root ::= a\na ::= "x"? root "b" | "c"', "begins with itself"],
  ['root ::= "a" root', "No finite text"],
  ['root ::= "a', "ends too early"],
  ['root ::= ("a"', "expected ')'"],
  ['root ::= "a" ) "b"', "expected the end of the line"],
  ['root ::= "a"\nroot ::= "b"', "two rules 'root'"],
  ['root ::= "a"{3,1}', "second count"],
  ['root ::= "\\q"', "not known (line 1)"],
  ["", "no rules"],
])("%j is refused", (source, reason) => {
  const use = () => matches({ kind: "grammar", source }, "");
  expect(use).toThrow(SpecError);
  expect(use).toThrow(reason);
});

test("a text that could be read in too many ways at once may not come", () => {
  const read = readerOf({ kind: "grammar", source: 'root ::= "a" root "b" | "a" root "c" | "a"' });
  expect(read("a".repeat(7))).toBe("begun");
  expect(read("a".repeat(40))).toBe("neither");
});

test("a text may be read in 2,000 ways at once, and in no more", () => {
  const ways = (count: number) => Array.from({ length: count }, (_, i) => `"b" "${i}"`).join(" | ");
  const read = (count: number) =>
    readerOf({ kind: "grammar", source: `root ::= "aaa" (${ways(count)})` })("aaab1");
  expect(read(1_900)).toBe("whole");
  expect(read(2_100)).toBe("neither");
});
