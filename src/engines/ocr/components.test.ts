import { expect, test } from "bun:test";
import { components } from "./components.ts";

/** A map from a drawing: `#` is 0.9, anything else 0.1. */
function drawn(...rows: readonly string[]) {
  const map = Float32Array.from(rows.join(""), (sign) => (sign === "#" ? 0.9 : 0.1));
  return components(map, rows[0]?.length ?? 0, rows.length, 0.5);
}

test("pixels that touch, at a corner too, are one component", () => {
  const found = drawn("##....##", "..#..#..", "...##...");
  expect(found).toHaveLength(1);
  expect(found[0]?.pixels).toBe(8);
  expect(found[0]?.sum).toBeCloseTo(7.2, 5);
});

test("arms that only meet further down are one, and what lies between them is another", () => {
  const found = drawn("#......#", "#..##..#", "#......#", "########");
  expect(found.map(({ pixels }) => pixels).sort((a, b) => a - b)).toEqual([2, 14]);
});

test("the outline reaches around whole pixels, up to the border", () => {
  const [only] = drawn("...", "..#");
  const xs = only?.outline.map(({ x }) => x) ?? [];
  const ys = only?.outline.map(({ y }) => y) ?? [];
  expect([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]).toEqual([
    2, 3, 1, 2,
  ]);
});

test("an empty map has none", () => {
  expect(drawn("....", "....")).toEqual([]);
});
