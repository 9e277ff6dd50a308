import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAliases, loadAliases, parseAliasFile } from "./aliases.ts";

const NOWHERE = "/there-is-no-such-home";

test("every name of the shipped table leads to one model", () => {
  const aliases = loadAliases(NOWHERE);
  expect(aliases.canonical("Llama-3.3-70B-Instruct")).toBe("meta-llama/llama-3.3-70b-instruct");
  expect(aliases.canonical("mistralai/Magistral-Small-2506-24B-Instruct")).toBe(
    aliases.canonical("mistralai/Magistral-Small-2506"),
  );
  expect(aliases.spelling("meta-llama/llama-3.3-70b-instruct")).toBe(
    "meta-llama/Llama-3.3-70B-Instruct",
  );
});

test("an owner's other name is looked through, with every model of his", () => {
  const aliases = loadAliases(NOWHERE);
  expect(aliases.canonical("deepseek/deepseek-r1")).toBe("deepseek-ai/deepseek-r1");
  expect(aliases.canonical("somebody/deepseek-r1")).toBe("somebody/deepseek-r1");
});

test("a base model and its tuned one never share a line", () => {
  const aliases = loadAliases(NOWHERE);
  expect(aliases.canonical("meta-llama/Llama-3.1-8B")).not.toBe(
    aliases.canonical("meta-llama/Llama-3.1-8B-Instruct"),
  );
});

test("the home folder's own table adds to it", () => {
  const home = mkdtempSync(join(tmpdir(), "covey-aliases-"));
  writeFileSync(join(home, "aliases.toml"), '[models]\n"me/Model" = ["mine"]\n');
  expect(loadAliases(home).canonical("MINE")).toBe("me/model");
  expect(loadAliases(home).canonical("llama-4-scout")).toContain("meta-llama/");
  rmSync(home, { recursive: true });
});

test("a name can't stand for two models", () => {
  const file = parseAliasFile('[models]\n"a/one" = ["x"]\n"b/two" = ["X"]\n', "aliases.toml");
  expect(() => createAliases([file])).toThrow('"x" stands for a/one and for b/two');
});

test("an unknown key is an error with its line", () => {
  expect(() => parseAliasFile("[modles]\n", "aliases.toml")).toThrow(
    'aliases.toml:1: unknown key "modles" at the top level; did you mean "models"?',
  );
});
