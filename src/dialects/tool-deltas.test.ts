import { expect, test } from "bun:test";
import { ToolDeltas, wholeToolCalls } from "./tool-deltas.ts";

/** What servers make of a tool call's pieces, and the same as OpenAI writes it. */

function read(...pieces: object[][]): unknown[] {
  const deltas = new ToolDeltas((index) => `made_${index}`);
  return [...pieces.flatMap((group) => deltas.read(group)), ...deltas.flush()];
}
const first = (index: number, id: string, name: string, text: string): object => ({
  index,
  id,
  type: "function",
  function: { name, arguments: text },
});
const more = (index: number, text: string): object => ({ index, function: { arguments: text } });
const fn = (name: string | undefined, text?: unknown): object => ({
  function: {
    ...(name === undefined ? {} : { name }),
    ...(text === undefined ? {} : { arguments: text }),
  },
});

test("OpenAI's pieces stay as they are", () => {
  const pieces = [first(0, "a", "f", ""), more(0, "{"), more(0, "}"), first(1, "b", "g", "")];
  expect(read(...pieces.map((piece) => [piece]))).toEqual(pieces);
});

test("without an index, an id begins another call and pieces without one go on", () => {
  expect(
    read(
      [{ id: "a", ...fn("f", "{") }],
      [fn(undefined, "1}")],
      [{ id: "b", ...fn("g", "") }],
      [fn(undefined, "{}")],
    ),
  ).toEqual([first(0, "a", "f", "{"), more(0, "1}"), first(1, "b", "g", ""), more(1, "{}")]);
});

test("without index and id, a name begins another call, and each gets an id", () => {
  expect(read([fn("f", "{}")], [fn("g", "{")], [fn(undefined, "}")])).toEqual([
    first(0, "made_0", "f", "{}"),
    first(1, "made_1", "g", "{"),
    more(1, "}"),
  ]);
});

test("a new id in every piece, as old vLLM writes it, is still one call", () => {
  expect(
    read(
      [{ index: 0, id: "x1", ...fn("f") }],
      [{ index: 0, id: "x2", ...fn(undefined, "{") }],
      [{ index: 0, id: "x3", ...fn(undefined, "}") }],
    ),
  ).toEqual([first(0, "x1", "f", "{"), more(0, "}")]);
});

test("parallel calls that share an index are told apart by id and name", () => {
  expect(
    read([{ index: 0, id: "a", ...fn("f", "{}") }], [{ index: 0, id: "b", ...fn("g", "{}") }]),
  ).toEqual([first(0, "a", "f", "{}"), first(1, "b", "g", "{}")]);
});

test("a name in pieces is given once, whole", () => {
  expect(
    read(
      [{ index: 0, id: "a", ...fn("get_") }],
      [{ index: 0, ...fn("weather") }],
      [{ index: 0, ...fn(undefined, "{}") }],
    ),
  ).toEqual([first(0, "a", "get_weather", "{}")]);
});

test("a name that every piece repeats is not doubled", () => {
  expect(
    read(
      [{ index: 0, id: "a", ...fn("f") }],
      [{ index: 0, id: "a", ...fn("f", "{") }],
      [{ index: 0, id: "a", ...fn("f", "}") }],
    ),
  ).toEqual([first(0, "a", "f", "{"), more(0, "}")]);
});

test("arguments as an object become text, and a call without any is given at the end", () => {
  expect(read([fn("f", { city: "Paris" })], [{ index: 1, id: "b", ...fn("now") }])).toEqual([
    first(0, "made_0", "f", '{"city":"Paris"}'),
    first(1, "b", "now", ""),
  ]);
});

test("calls that take turns keep their places", () => {
  expect(
    read(
      [first(0, "a", "f", ""), first(1, "b", "g", "")],
      [more(1, "1")],
      [more(0, "0")],
      [more(1, "1")],
    ),
  ).toEqual([
    first(0, "a", "f", ""),
    first(1, "b", "g", ""),
    more(1, "1"),
    more(0, "0"),
    more(1, "1"),
  ]);
});

test("a custom tool's input goes through, and so does what only one server knows", () => {
  const custom = { index: 0, id: "a", type: "custom", custom: { name: "sh", input: "l" } };
  expect(read([custom], [{ index: 0, custom: { input: "s" } }])).toEqual([
    custom,
    { index: 0, custom: { input: "s" } },
  ]);
  expect(read([{ ...first(0, "a", "f", "{}"), extra_content: { sign: 1 } }])).toEqual([
    { ...first(0, "a", "f", "{}"), extra_content: { sign: 1 } },
  ]);
});

test("a whole answer's calls have ids, types and arguments as text", () => {
  expect(
    wholeToolCalls([{ index: 3, function: { name: "f", arguments: { a: 1 } } }, null], String),
  ).toEqual([{ id: "0", type: "function", function: { name: "f", arguments: '{"a":1}' } }]);
});
