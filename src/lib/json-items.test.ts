import { expect, test } from "bun:test";
import { jsonItems } from "./json-items.ts";
import { atOnce, inSlices } from "./slices.ts";

const itemsOf = (text: string, keys = ["data", "models"]) => atOnce(jsonItems(text, keys));

const ODD = {
  quote: 'a "quoted" \\ and \\" text',
  brackets: "]}[{,:",
  nested: { list: [[], {}, [1, { a: "}" }]], empty: "" },
  'key with " and ]': null,
  number: -1.5e-7,
  unicode: "\u2028 é 🐦",
};

for (const space of [0, 1, 2]) {
  test(`a list is read as JSON.parse reads it, indented by ${space}`, () => {
    const list = [ODD, "text", 1, true, null, [], {}, [ODD]];
    expect(itemsOf(JSON.stringify(list, null, space))).toEqual(list);
    expect(itemsOf(JSON.stringify({ object: "list", data: list, x: ODD }, null, space))).toEqual(
      list,
    );
  });
}

test("of several lists the first key's is taken, wherever it stands", () => {
  expect(itemsOf('{"models":[1],"data":[2]}')).toEqual([2]);
  expect(itemsOf('{"data":[2],"models":[1]}')).toEqual([2]);
  expect(itemsOf('{"models":[1],"data":{}}')).toEqual([1]);
});

test("an empty list is one", () => {
  expect(itemsOf('{"data":[]}')).toEqual([]);
  expect(itemsOf(" [ ] ")).toEqual([]);
});

test("a text that ends at any place before its end is no list", () => {
  const text = JSON.stringify({ object: "list", data: [ODD, 1, "x"], more: [ODD] });
  for (let length = 0; length < text.length; length++)
    expect(itemsOf(text.slice(0, length))).toBeNull();
});

test.each([
  "<!doctype html>",
  "null",
  "{}",
  '{"data":null}',
  '{"data":[1,]}',
  '{"data":[1 2]}',
  '{"data":[oops]}',
  '{"data":[1]} and more',
  '{"data":[1],}x',
  "{data:[1]}",
  '[{"a":1]',
])("%s is none", (text) => {
  expect(itemsOf(text)).toBeNull();
});

test("the event loop gets its turn while a long list is read", async () => {
  const text = JSON.stringify({ data: Array.from({ length: 2_000 }, (_, id) => ({ ...ODD, id })) });
  let turns = 0;
  const timer = setInterval(() => {
    turns++;
  }, 0);
  const items = await inSlices(jsonItems(text, ["data"]), 0);
  clearInterval(timer);
  expect(items).toHaveLength(2_000);
  expect(turns).toBeGreaterThan(0);
});
