import { expect, test } from "bun:test";
import { choiceToGbnf, choiceToRegex, regexToGbnf } from "./gbnf.ts";

const TRANSLATED: [pattern: string, grammar: string][] = [
  ["abc", 'root ::= "a" "b" "c"'],
  ["^a|b$", 'root ::= "a" | "b"'],
  ["(ab)+c?", 'root ::= ("a" "b")+ "c"?'],
  ["(?:a|)b*", 'root ::= ("a" | "")"b"*'.replace(')"', ') "')],
  ["(?P<year>\\d{4})-\\d{2}", 'root ::= ([0-9]{4}) "-" [0-9]{2}'],
  ["[A-Z][a-z_]{1,}", "root ::= [A-Z] [a-z\\x5F]{1,}"],
  ["[^\\]\\-\\s]{0,9}", "root ::= [^\\x5D\\x2D \\t\\n\\r\\x0B\\x0C]{0,9}"],
  ["[\\w.-]+@x", 'root ::= [a-zA-Z0-9_\\x2E\\x2D]+ "@" "x"'],
  ["[]a]", "root ::= [\\x5Da]"],
  ["\\D\\.", 'root ::= [^0-9] "."'],
  ['"\\\\\\n', 'root ::= "\\"" "\\\\" "\\x0A"'],
  [".+?", "root ::= [^\\n\\r]+"],
  ["[а-я]|\\u00e9|🙂", 'root ::= [а-я] | "é" | "🙂"'],
  ["", 'root ::= ""'],
];

test.each(TRANSLATED)("%s as a grammar", (pattern, grammar) => {
  expect(regexToGbnf(pattern)).toBe(grammar);
});

const OUTSIDE = [
  ...[
    "(?=a)b",
    "(?!a)b",
    "(?<=a)b",
    "(a)\\1",
    "\\bword",
    "a++",
    "(?i)a",
    "[[:alpha:]]x[",
    "a{2000}",
  ],
  ...["a{3,2}", "(a", "a)", "[a", "*a", "a^b", "a$b", "\\p{L}", "\\"],
];

test.each(OUTSIDE)("%s is outside", (pattern) => {
  expect(regexToGbnf(pattern)).toBeNull();
});

test("choices become a grammar and a regular expression of just these", () => {
  const choices = ['say "a.b"', "c\\d\n", "(x|y)*"];
  expect(choiceToGbnf(choices)).toBe('root ::= "say \\"a.b\\"" | "c\\\\d\\x0A" | "(x|y)*"');
  const regex = new RegExp(`^${choiceToRegex(choices)}$`);
  for (const choice of choices) expect(regex.test(choice)).toBe(true);
  expect(regex.test('say "aXb"')).toBe(false);
});
