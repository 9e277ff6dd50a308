import { expect, test } from "bun:test";
import { jsonPieces } from "./json-pieces.ts";

const VALUES: readonly unknown[] = [
  ...[null, true, -1.5, "", "short", [], {}, [[]], { a: undefined }, [undefined, 1], undefined],
  {
    a: "x".repeat(100),
    b: ["y".repeat(33), { c: 'quoted "\\ \n\u0000\u2028' }],
    d: [1, 2, { e: {} }],
  },
  `${"🌍é".repeat(40)}"\\`,
];

test.each([1, 2, 7, 16, 1000])("pieces of %d characters say what the whole says", (size) => {
  for (const value of VALUES) {
    const told: unknown = JSON.parse([...jsonPieces(value, size)].join(""));
    expect(told).toEqual(JSON.parse(JSON.stringify(value) ?? "null"));
  }
});

test("no piece is much larger than it may be, and small things are together in one", () => {
  const pieces = [...jsonPieces({ image: "A".repeat(10_000), info: { a: 1, b: 2 } }, 1000)];
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(2100);
  expect(pieces.length).toBeLessThan(14);
  expect([...jsonPieces({ a: 1, b: [1, 2, 3] })]).toEqual(['{"a":1,"b":[1,2,3]}']);
});
