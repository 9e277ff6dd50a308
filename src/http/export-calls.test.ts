import { describe, expect, test } from "bun:test";
import { CallItem } from "../contract/analytics.ts";
import { callItem } from "./call-item.ts";
import { CSV_COLUMNS, csvCell, exportStream } from "./export-calls.ts";

const CALL = callItem(
  {
    id: "chatcmpl-1",
    started_at: 0,
    ended_at: null,
    endpoint: "/v1/chat/completions",
    model: "m",
    provider: null,
    key_id: "key_1",
    stream: true,
    request_id: null,
    referer: null,
    title: null,
    status: "completed",
    http_status: 200,
    error: null,
    finish_reason: "stop",
    prompt_tokens: 1,
    completion_tokens: 2,
    cached_tokens: 0,
    images: 0,
    pixels: 0,
    usage_source: "upstream",
    queue_ms: null,
    first_token_ms: 1.5,
    total_ms: 3,
    dropped_params: [],
    cost_nano_usd: 1500,
    provider_cost_nano_usd: null,
    attempts: [],
    resumed: 0,
    calls: 1,
  },
  () => "its name",
);

describe("a cell", () => {
  test.each([
    ["=1+1", "'=1+1"],
    ["+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"],
    ["-2+3", "'-2+3"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["\r=1", '"\'\r=1"'],
    [' ="x"', '"\' =""x"""'],
    ['"=1', '"\'""=1"'],
    ["＝1", "'＝1"],
    ['=HYPERLINK("http://evil","x")', '"\'=HYPERLINK(""http://evil"",""x"")"'],
  ])("%j, which a spreadsheet would run, is text: %s", (value, cell) => {
    expect(csvCell(value)).toBe(cell);
  });

  test.each([
    ["plain", "plain"],
    ["a,b", '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ["two\nlines", '"two\nlines"'],
    [-5, "-5"],
    [null, ""],
    [true, "true"],
    [["a", "b"], '"[""a"",""b""]"'],
  ])("%j is %s", (value, cell) => {
    expect(csvCell(value)).toBe(cell);
  });
});

test("the CSV has every field of a call, and a head for each", () => {
  const { object: _object, ...fields } = CallItem.shape;
  expect<string[]>([...CSV_COLUMNS].sort()).toEqual(Object.keys(fields).sort());
});

async function* pages(...lengths: number[]) {
  for (const length of lengths) yield Array.from({ length }, () => CALL);
}

test("empty pages end nothing; each format has a line for each call", async () => {
  const text = (format: "csv" | "ndjson") =>
    new Response(exportStream(format, pages(2, 0, 1))).text();
  expect((await text("csv")).split("\r\n").length).toBe(1 + 3 + 1);
  const lines = (await text("ndjson")).trimEnd().split("\n");
  expect(lines.map((line) => CallItem.parse(JSON.parse(line)))).toEqual([CALL, CALL, CALL]);
});

test("a page is asked for when the one before it was taken", async () => {
  let asked = 0;
  async function* counted() {
    for (;;) {
      asked += 1;
      yield [CALL];
    }
  }
  const reader = exportStream("csv", counted()).getReader();
  await reader.read();
  await reader.read();
  expect(asked).toBeLessThanOrEqual(2);
  await reader.cancel();
});

test("a page that can't be read breaks the file off", async () => {
  async function* broken() {
    yield [CALL];
    throw new Error("the database is away");
  }
  await expect(new Response(exportStream("csv", broken())).text()).rejects.toThrow();
});
