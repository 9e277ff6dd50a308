import { expect, test } from "bun:test";
import path from "node:path";
import { loadProviderFiles, SHIPPED_PROVIDERS } from "../../src/catalog/providers.ts";
import { settleProviders } from "../../src/catalog/settle-providers.ts";
import { loadConfig, parseConfigFile } from "../../src/config/load.ts";
import { ConfigFile } from "../../src/config/schema.ts";
import { knownKeys } from "../../src/lib/toml-issues.ts";

const file = path.resolve(import.meta.dir, "../../covey.example.toml");
const text = await Bun.file(file).text();

test("the example config says nothing but the defaults", () => {
  expect(parseConfigFile(text, "covey.example.toml")).toEqual(parseConfigFile("", "defaults"));
});

test("the example config shows every option there is", () => {
  const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const missing = (at: string[]): string[] =>
    knownKeys(ConfigFile, at).flatMap((key) => {
      const inner = missing([...at, key]);
      if (inner.length > 0 || knownKeys(ConfigFile, [...at, key]).length > 0) return inner;
      return text.includes(`${snake(key)} =`) || ["providers", "plans"].includes(key)
        ? []
        : [[...at, key].join(".")];
    });
  expect(missing([])).toEqual([]);
});

test("the providers that the example shows in comments can be used", () => {
  const start = text.indexOf("# [providers.featherless]");
  const shown = text
    .slice(start)
    .replace(/^# All that can.*$/m, "")
    .replace(/^# ?/gm, "");
  const { providers } = parseConfigFile(shown, "example");
  const files = loadProviderFiles([SHIPPED_PROVIDERS]);
  expect(settleProviders(providers, files, () => "key").map(({ type }) => type)).toEqual([
    "featherless",
    "vllm",
    "openai-compatible",
  ]);
  expect(providers["my-server"]?.models.map(({ id }) => id)).toEqual([
    "Qwen/Qwen3-32B",
    "my/coder",
    "my/eyes",
  ]);
  const known = knownKeys(ConfigFile, ["providers", "my-server"]);
  const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  expect(known.filter((key) => !shown.includes(`${snake(key)} =`) && key !== "prices")).toEqual([]);
});

test("the example config loads from its file", () => {
  expect(loadConfig({ flags: { config: file }, env: {} }).file).toBe(file);
});
