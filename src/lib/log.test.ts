import { expect, test } from "bun:test";
import { createLog } from "./log.ts";

function logTo(pretty: boolean) {
  const lines: string[] = [];
  return { lines, log: createLog((line) => lines.push(line), pretty) };
}

test("a terminal gets words, anything else a JSON object a line", () => {
  const [words, json] = [logTo(true), logTo(false)];
  for (const { log } of [words, json]) log.warn("it rests", { provider: "a", s: 5, none: null });
  expect(words.lines).toEqual(["warn: it rests provider=a s=5\n"]);
  expect(JSON.parse(json.lines[0] ?? "")).toMatchObject({
    level: "warn",
    message: "it rests",
    provider: "a",
    s: 5,
  });
});

test("what is below the level is not written, and the level can be changed", () => {
  const { lines, log } = logTo(false);
  log.debug("one");
  expect(log.writes("debug")).toBe(false);
  log.use({ format: "json", level: "debug", secrets: [] });
  log.debug("two");
  log.use({ format: "text", level: "error", secrets: [] });
  log.warn("three");
  log.error("four");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain('"two"');
  expect(lines[1]).toBe("error: four\n");
});

test.each([true, false])("no value can end its line or begin a field (words: %p)", (pretty) => {
  const { lines, log } = logTo(pretty);
  const evil = 'x\nwarn: forged level=error\r\n\x1b[2J\u0085\u2028"';
  log.info(evil, { model: evil, stack: "Error\n    at f" });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028]/u);
  if (pretty) expect(lines[0]).toContain('model="x\\nwarn: forged level=error');
});

test("secrets and what looks like a key are in no line", () => {
  const { lines, log } = logTo(false);
  log.use({ format: "json", level: "info", secrets: ["hunter2-very-own"] });
  log.error("it said hunter2-very-own", { detail: "Bearer abcdefghijkl, sk-1234567890abcdef" });
  expect(lines[0]).not.toMatch(/hunter2|abcdefghijkl|1234567890/);
});
