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

test("an error, as a named event or as a field of its own, ends the events that count", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  for (const [text, failure] of [
    ['data: a\n\nevent: error\ndata: {"message":"x"}\n\ndata: b\n\n', '{"message":"x"}'],
    ['data: a\n\nerror: {"code":500}\n\ndata: b\n\n', '{"code":500}'],
  ] as const) {
    const all = bytes(text);
    for (let cut = 0; cut <= all.length; cut++) {
      const parser = new SseParser();
      const got = [...parser.push(all.subarray(0, cut)), ...parser.push(all.subarray(cut))];
      expect([...got, ...parser.end(), parser.failure]).toEqual(["a", failure]);
    }
  }
});

test("an event in a hundred thousand pieces costs what its bytes cost", () => {
  const parser = new SseParser();
  const piece = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
  parser.push(new TextEncoder().encode("data: "));
  const began = performance.now();
  for (let i = 0; i < 100_000; i++) parser.push(piece);
  const [event] = parser.push(new TextEncoder().encode("\n\n"));
  expect(event?.length).toBe(3_200_000);
  // Looking at everything again with each piece would be 160 GB of text.
  expect(performance.now() - began).toBeLessThan(10_000);
});
