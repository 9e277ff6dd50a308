import { expect, test } from "bun:test";
import { machineOf } from "./guide.ts";
import { GuideError } from "./guide-error.ts";
import type { GuideSpec } from "./spec.ts";
import { SpecError } from "./spec-error.ts";

const nested = (depth: number): object =>
  Array.from({ length: depth }).reduce<object>((items) => ({ type: "array", items }), {});
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const properties = (count: number, make: (index: number) => unknown) =>
  Object.fromEntries(many(count, (index) => [`p${index}`, make(index)]));
const chain = {
  ...properties(5000, (index) => ({ $ref: `#/$defs/p${index + 1}` })),
  p5000: { type: "null" },
};

const json = (schema: unknown): GuideSpec => ({ kind: "json_schema", schema });
const regex = (pattern: string): GuideSpec => ({ kind: "regex", pattern });
const gbnf = (source: string): GuideSpec => ({ kind: "grammar", source });

const BOMBS: readonly [string, GuideSpec][] = [
  ["a schema 5,000 levels deep", json(nested(5000))],
  ["a schema of a megabyte", json({ enum: ["x".repeat(1e6)] })],
  ["a schema of a megabyte of names", json({ properties: properties(100_000, () => true) })],
  ["100,000 branches", json({ anyOf: many(100_000, () => ({ type: "string" })) })],
  ["a billion items", json({ minItems: 1e9 })],
  ["a text of a billion characters", json({ minLength: 1e9 })],
  ["an exponential pattern", json({ pattern: "^(a|b)*a(a|b){18}$" })],
  [
    "a thousand heavy patterns",
    json({ properties: properties(1000, (i) => ({ pattern: `^(a|b)*a(a|b){6}c{${i}}$` })) }),
  ],
  ["a pattern with a large length", json({ pattern: "^([a-z]{100})+$", minLength: 10_000 })],
  ["repeats of repeats", regex("((a{1,100}){1,100}){1,100}")],
  [
    "a wide repeat",
    regex(`(${many(900, (i) => String.fromCodePoint(0x4e00 + i)).join("|")}){1,10000}`),
  ],
  ["a? 3,000 times", regex("(a?){3000}a{3000}")],
  ["a look ahead in front of much", regex(`(?=a)${"b".repeat(9_900)}`)],
  ["many looks ahead", regex(`${many(900, (i) => `(?!x{${i}})`).join("")}a*`)],
  ["looks ahead in alternatives of alternatives", regex("((?=a)a|(?!b)c|)".repeat(600))],
  ["lengths looked ahead for", regex("(?=.{1,1500}$)(?=(.{7})*$)(?=(.{11})*$)[a-z]*x[a-z]{9}")],
  ["groups in groups", regex(`${"(".repeat(4000)}${")".repeat(4000)}`)],
  ["a long expression", regex("a".repeat(1e6))],
  ["a long grammar", gbnf(`root ::= "${"a".repeat(1e6)}"`)],
  ["parentheses in parentheses", gbnf(`root ::= ${"(".repeat(5000)}"a"${")".repeat(5000)}`)],
  ["nothing, a trillion times", gbnf('root ::= ((("a"?){10000}){10000}){10000}')],
  ["a rule that begins with itself", gbnf('root ::= root "a" | "a"')],
  ["a long choice", { kind: "choice", choices: ["a".repeat(300_000)] }],
  [
    "many heavy parts",
    { kind: "either", parts: many(200, (i) => regex(`(a|b)*a(a|b){7}c{${i}}`)) },
  ],
  [
    "many large schemas",
    { kind: "either", parts: many(100, () => json({ properties: properties(4000, () => true) })) },
  ],
  [
    "many branches that are told apart by their last property",
    json({
      oneOf: many(150, (i) => ({
        properties: { ...properties(60, () => ({ enum: ["a"] })), z: { const: i } },
        required: ["z"],
      })),
    }),
  ],
  [
    "many branches of many values",
    json({ oneOf: many(150, (i) => ({ enum: many(100, (j) => i * 100 + j) })) }),
  ],
  ["a million choices", { kind: "choice", choices: many(1e6, String) }],
];

const numbers = many(15_000, (i) => i);
/** `#/$defs/name`, with other letters of it written as %hh each time. */
const spellings = (name: string, count: number) =>
  many(
    count,
    (way) =>
      `#/$defs/${[...name].map((c, at) => ((way >> at) % 2 === 0 ? c : `%${c.charCodeAt(0).toString(16)}`)).join("")}`,
  );

/** Whether they are refused or not: it takes no longer. */
const HEAVY: readonly [string, GuideSpec][] = [
  ["nothing or nothing, 9,000 times, 1,000 times", regex(`(${"|".repeat(9000)}){1000}`)],
  ["its beginning, 3,000 times", regex(`(?:${"^|".repeat(3000)}a){300}`)],
  [
    "a long rule in many alternatives",
    gbnf(
      `root ::= ${many(300, (i) => `s "${i}"`).join("|")}\ns ::= "a" ${"x ".repeat(10_000)}\nx ::= "b"`,
    ),
  ],
  ["a rule that has another 16,000 times", gbnf(`root ::= ${"a ".repeat(16_000)}\na ::= "x"`)],
  [
    "many alternatives of many alternatives",
    gbnf(
      `root ::= ${many(2000, (i) => `s "${i}"`).join("|")}\ns ::= ${"x|".repeat(16_000)}x\nx ::= "a"`,
    ),
  ],
  ["looks ahead in looks ahead", regex(`${"(?=a(?!b".repeat(29)}${"))".repeat(29)}a*`)],
  ["20,000 classes", gbnf(`root ::= ${"[a]".repeat(20_000)}`)],
  [
    "a grammar that is ambiguous all along",
    gbnf(`root ::= ${many(900, (i) => `[a-z${String.fromCharCode(65 + (i % 26))}]*`).join("|")}`),
  ],
  [
    "19,000 required names",
    json({ required: many(19_000, (i) => `k${i}`), additionalProperties: { type: "string" } }),
  ],
  [
    "15,000 listed names, many times",
    json({
      properties: properties(1000, () => ({ propertyNames: { $ref: "#/$defs/names" } })),
      $defs: { names: { enum: many(15_000, (i) => `k${i}`) } },
    }),
  ],
  ["15,000 numbers beside a bound", json({ enum: numbers, minimum: 0 })],
  [
    "15,000 numbers beside a bound, under several spellings",
    json({
      anyOf: spellings("abcdefgh", 50).map(($ref) => ({ $ref })),
      $defs: { abcdefgh: { enum: numbers, minimum: 0 } },
    }),
  ],
  [
    "long texts beside a pattern",
    json({ enum: ["a".repeat(120_000), "b".repeat(120_000)], pattern: "^[a-c]*$" }),
  ],
  [
    "patterns that meet their format nowhere soon",
    json({
      properties: properties(30, (i) => ({
        format: "email",
        pattern: `^[^\\s@"]{1,${20 + i}}@[^\\s@]{1,${200 + i}}$`,
      })),
    }),
  ],
  ["9,000 properties that may be anything", json({ properties: properties(9000, () => ({})) })],
  [
    "6,000 lengths",
    json({ properties: properties(6000, (i) => ({ type: "string", maxLength: i })) }),
  ],
  [
    "6,000 bounds",
    json({ properties: properties(6000, (i) => ({ type: "number", minimum: i + 0.5 })) }),
  ],
];

/** Milliseconds of a processor's time: the machine has other things to do too. The quickest of some tries is what it takes. */
function quickest(tries: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries && least > 100; i++) {
    const began = performance.now();
    const used = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(used);
    // The collector's threads count as the process too, where they work beside.
    least = Math.min(least, performance.now() - began, (user + system) / 1000);
  }
  return least;
}

test.each([...BOMBS])("%s is refused within 100 ms", (_, spec) => {
  let thrown: unknown = null;
  const took = quickest(5, () => {
    try {
      machineOf(spec);
    } catch (error) {
      thrown = error;
    }
  });
  expect(thrown instanceof SpecError || thrown instanceof GuideError).toBe(true);
  expect(took).toBeLessThan(100);
});

test.each([...HEAVY])("%s: refused or not, within 100 ms", (_, spec) => {
  const took = quickest(5, () => {
    try {
      machineOf(spec);
    } catch (error) {
      if (!(error instanceof SpecError || error instanceof GuideError)) throw error;
    }
  });
  expect(took).toBeLessThan(100);
});

const LARGE: readonly [string, GuideSpec][] = [
  [
    "5,000 optional properties",
    json({ properties: properties(5000, () => ({ type: "boolean" })) }),
  ],
  ["references in a row", json({ $ref: "#/$defs/p0", $defs: chain })],
  ["any number of repetitions", gbnf('root ::= ((("a"{1,10000}){1,10000}){1,10000}){1,10000}')],
  ["10,000 choices", { kind: "choice", choices: many(10_000, (i) => `choice ${i}`) }],
  ["a choice of 256 Ki characters", { kind: "choice", choices: ["a".repeat(256 * 1024)] }],
  ["thirty levels", json(nested(30))],
];

test.each([...LARGE])("%s may be, and take less than 100 ms too", (_, spec) => {
  expect(quickest(5, () => machineOf(spec))).toBeLessThan(100);
});
