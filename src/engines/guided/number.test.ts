import { expect, test } from "bun:test";
import { forSeeds } from "../../../test/seeded.ts";
import { NumberLeaf, type NumberRange } from "./number.ts";
import { SpecError } from "./spec-error.ts";

const NO_BOUNDS: NumberRange = {
  integer: false,
  minimum: null,
  maximum: null,
  exclusiveMinimum: null,
  exclusiveMaximum: null,
  multipleOf: null,
};
const DIGITS = "0123456789-.e+";

function read(leaf: NumberLeaf, text: string): "whole" | "begun" | "neither" {
  let state: string | number = leaf.start;
  for (const char of text) {
    const next = leaf.step(state, char.charCodeAt(0));
    if (next === null) return "neither";
    state = next;
  }
  return leaf.exit(state) === null ? "begun" : "whole";
}

const TEXTS = [""];
for (const text of TEXTS) if (text.length < 4) for (const one of DIGITS) TEXTS.push(text + one);

function fits(range: NumberRange, value: number): boolean {
  return (
    value >= (range.minimum ?? -Infinity) &&
    value <= (range.maximum ?? Infinity) &&
    value > (range.exclusiveMinimum ?? -Infinity) &&
    value < (range.exclusiveMaximum ?? Infinity) &&
    (!range.integer || Number.isInteger(value)) &&
    (range.multipleOf === null || value % range.multipleOf === 0)
  );
}

test("of all short texts those are taken that are JSON numbers in the range", () => {
  forSeeds(25, (random) => {
    const bound = () => (random.below(400) - 200) / random.pick([1, 8, 10]);
    const low = bound();
    const range = {
      ...NO_BOUNDS,
      integer: random.chance(0.5),
      [random.pick(["minimum", "exclusiveMinimum"])]: low,
      [random.pick(["maximum", "exclusiveMaximum", "_"])]: low + 12 + random.below(500),
      multipleOf: random.chance(0.3) ? 1 + random.below(9) : null,
    };
    const leaf = new NumberLeaf(range);
    for (const text of TEXTS) {
      const isNumber = /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) && !/^-[0.]+$/.test(text);
      const whole = isNumber && !(range.multipleOf !== null && text.includes("."));
      // A whole number is written without a point where only whole ones fit.
      const expected = whole && !(range.integer && text.includes(".")) && fits(range, Number(text));
      if ((read(leaf, text) === "whole") !== expected)
        throw new Error(`${JSON.stringify(text)} in ${JSON.stringify(range)}`);
    }
  });
});

test("every beginning leads to a number in the range, within 15 digits", () => {
  forSeeds(100, (random) => {
    const scale = 10 ** (random.below(24) - 8);
    const low = (random.next() - 0.5) * scale;
    const range = {
      ...NO_BOUNDS,
      integer: random.chance(0.3),
      minimum: low,
      exclusiveMaximum: low + random.next() * scale * 10 ** -random.below(3),
    };
    let leaf: NumberLeaf;
    try {
      leaf = new NumberLeaf(range);
    } catch (error) {
      if (error instanceof SpecError) return;
      throw error;
    }
    for (let again = 0; again < 3; again++) {
      let text = "";
      for (;;) {
        const next = [...DIGITS].filter((one) => read(leaf, text + one) !== "neither");
        const whole = read(leaf, text) === "whole";
        if (whole && !fits(range, Number(text)))
          throw new Error(`${text} in ${JSON.stringify(range)}`);
        if (whole && (next.length === 0 || random.chance(0.2))) break;
        const char = next[random.below(next.length)];
        if (char === undefined)
          throw new Error(`nothing after ${text} in ${JSON.stringify(range)}`);
        text += char;
      }
      expect(text.replace(/[^\d]/g, "").length).toBeLessThanOrEqual(15);
    }
  });
});

test("zero has no sign, however it is written", () => {
  const any = new NumberLeaf(NO_BOUNDS);
  const bounded = new NumberLeaf({ ...NO_BOUNDS, minimum: -0.5, maximum: 7 });
  const whole = new NumberLeaf({ ...NO_BOUNDS, integer: true });
  const positive = new NumberLeaf({ ...NO_BOUNDS, minimum: 0 });
  const small = new NumberLeaf({ ...NO_BOUNDS, minimum: -1e-10, maximum: 7 });
  for (const leaf of [any, bounded]) {
    for (const text of ["0", "0.0", "-0.5", "-0.05"])
      expect([text, read(leaf, text)]).toEqual([text, "whole"]);
    for (const text of ["-0", "-0.", "-0.0"])
      expect([text, read(leaf, text)]).toEqual([text, "begun"]);
    expect(read(leaf, `-0.${"0".repeat(10)}`)).toBe("neither");
    expect(read(leaf, `-0.${"0".repeat(9)}`)).toBe("begun");
  }
  for (const text of ["-0e", "-0.0e"]) expect(read(any, text)).toBe("neither");
  for (const text of ["0e5", "-0.5e5", "-1e0"]) expect(read(any, text)).toBe("whole");
  expect(read(whole, "-0")).toBe("neither");
  expect(read(new NumberLeaf({ ...NO_BOUNDS, integer: true, minimum: -5 }), "-0")).toBe("neither");
  expect(read(whole, "-10")).toBe("whole");
  expect(read(positive, "-")).toBe("neither");
  expect(read(small, "-0.0000000001")).toBe("whole");
  expect(read(small, "-0.1")).toBe("neither");
});

test("a range that no number of so many digits is in is refused", () => {
  const none = (range: Partial<NumberRange>) => () => new NumberLeaf({ ...NO_BOUNDS, ...range });
  expect(none({ minimum: 2, maximum: 1 })).toThrow(SpecError);
  expect(none({ integer: true, exclusiveMinimum: 1, exclusiveMaximum: 2 })).toThrow(SpecError);
  expect(none({ minimum: 1e-20, maximum: 2e-20 })).toThrow(SpecError);
  expect(none({ minimum: 1e300 })).toThrow(SpecError);
  expect(none({ integer: true, minimum: 3, maximum: 6, multipleOf: 7 })).toThrow(SpecError);
});
