import { expect, test } from "bun:test";
import { SseParser } from "./sse-parse.ts";

const STREAMS: [name: string, text: string, events: string[]][] = [
  [
    "LF",
    'data: {"a":1}\n\ndata: {"b":"é👋"}\n\ndata: [DONE]\n\n',
    ['{"a":1}', '{"b":"é👋"}', "[DONE]"],
  ],
  ["CRLF", "data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]],
  ["CR", "data: one\r\rdata: two\r\r", ["one", "two"]],
  [
    "comments and other fields",
    ": keepalive\n\nevent: x\nid: 7\ndata:tight\nretry: 5\n\n",
    ["tight"],
  ],
  ["several data lines", "data: a\ndata:  b\ndata\n\n", ["a\n b\n"]],
  ["a byte-order mark", "\ufeffdata: x\n\n", ["x"]],
  ["no final blank line", "data: a\n\ndata: b", ["a", "b"]],
  ["fields that only begin like data", "database: x\ndata: y\n\n", ["y"]],
];

for (const [name, text, events] of STREAMS) {
  test(`${name}: the events do not depend on how the bytes are cut`, () => {
    const bytes = new TextEncoder().encode(text);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const parser = new SseParser();
        const got = [
          ...parser.push(bytes.subarray(0, first)),
          ...parser.push(bytes.subarray(first, second)),
          ...parser.push(bytes.subarray(second)),
          ...parser.end(),
        ];
        expect(got).toEqual(events);
      }
    }
  });
}

test("an endless event is refused instead of filling the memory", () => {
  const parser = new SseParser(1000);
  const bytes = new TextEncoder().encode("x".repeat(600));
  parser.push(bytes);
  expect(() => parser.push(bytes)).toThrow(RangeError);
});
