import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { createAliases, parseAliasFile } from "../src/catalog/aliases.ts";
import { parseModelFile } from "../src/catalog/load.ts";
import {
  loadProviderFiles,
  parseProviderFile,
  SHIPPED_PROVIDERS,
} from "../src/catalog/providers.ts";
import { settleProviders } from "../src/catalog/settle-providers.ts";
import { COMMANDS, isCommand } from "../src/cli/options.ts";
import { parseConfigFile } from "../src/config/load.ts";
import { ConfigFile } from "../src/config/schema.ts";
import { ChatRequest } from "../src/contract/chat.ts";
import { EmbeddingsRequest } from "../src/contract/embeddings.ts";
import { ERRORS } from "../src/contract/errors.ts";
import { ModelsQuery } from "../src/contract/models.ts";
import { routingFields } from "../src/contract/routing.ts";
import { parseRequest } from "../src/contract/validate.ts";
import { knownKeys } from "../src/lib/toml-issues.ts";
import { ROOT } from "./covey.ts";

const PAGES = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  ...[...new Bun.Glob("docs/**/*.md").scanSync(ROOT)],
];
const read = (page: string): Promise<string> => Bun.file(join(ROOT, page)).text();

for (const page of PAGES) {
  test(`${page}: every link and every path it names leads somewhere`, async () => {
    const text = await read(page);
    const links = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map((match) => match[1] ?? "");
    for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
      expect({ link, exists: existsSync(join(ROOT, dirname(page), link)) }).toEqual({
        link,
        exists: true,
      });
    }
    const paths = [...text.matchAll(/`((?:src|test|scripts|docs|catalog|bin|bench)\/[\w./-]+)`/g)];
    for (const [, path = ""] of paths) {
      expect({ path, exists: existsSync(join(ROOT, path)) }).toEqual({ path, exists: true });
    }
  });
}

test("every command line in the README is one that exists", async () => {
  const text = await read("README.md");
  const scripts = [...text.matchAll(/npm (?:run )?(start|test|dev|check|bench|gpu)\b/g)];
  for (const [, script = ""] of scripts) expect(Object.keys(packageFile.scripts)).toContain(script);
  const commands = [...text.matchAll(/npx covey (\w+)/g)].map((match) => match[1] ?? "");
  expect(commands.length).toBeGreaterThan(2);
  for (const command of commands) expect(isCommand(command)).toBe(true);
  const flags = [...text.matchAll(/npm start --((?: --\w+ \S+)+)/g)];
  for (const [, line = ""] of flags) {
    for (const [, flag = ""] of line.matchAll(/--(\w+)/g)) {
      expect(Object.keys(COMMANDS.serve.options)).toContain(flag);
    }
  }
});

test("the README's first curl sends a request that the contract takes", async () => {
  const body = /-d '(\{[^']+\})'/.exec(await read("README.md"))?.[1] ?? "";
  expect(parseRequest(ChatRequest, JSON.parse(body)).model).toBe("tinyllama");
});

test("the README's config is one that loads", async () => {
  const toml = /```toml\n([\s\S]+?)```/.exec(await read("README.md"))?.[1] ?? "";
  expect(Object.keys(parseConfigFile(toml, "README.md").providers)).toEqual([
    "featherless",
    "gpu-box",
  ]);
});

test("docs/errors.md tells every error there is, with its status, type and code", async () => {
  const text = await read("docs/errors.md");
  const rows = [...text.matchAll(/^\| (\d{3}) \| (\w+) \| (\w+) \|/gm)].map((match) =>
    match.slice(1, 4).join(" "),
  );
  for (const { status, type, code } of Object.values(ERRORS))
    expect(rows).toContain(`${status} ${type} ${code}`);
});

test("ARCHITECTURE.md names every folder of src/", async () => {
  const text = await read("ARCHITECTURE.md");
  const folders = readdirSync(join(ROOT, "src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `\`src/${entry.name}/\``);
  for (const folder of folders) expect(text).toContain(folder);
});

const TOML = /```toml\n([\s\S]+?)```/g;

test("every config, provider file and alias table in docs/providers.md can be read", async () => {
  const blocks = [...(await read("docs/providers.md")).matchAll(TOML)].map(([, text = ""]) => text);
  const files = loadProviderFiles([SHIPPED_PROVIDERS]);
  const kinds = blocks.map((text) => {
    if (text.includes("[models]"))
      return createAliases([parseAliasFile(text, "docs")]) && "aliases";
    if (text.includes("\nname = ")) return parseProviderFile(text, "docs") && "provider";
    return settleProviders(parseConfigFile(text, "docs").providers, files, () => null) && "config";
  });
  expect(kinds).toEqual(["config", "config", "config", "config", "aliases", "provider"]);
});

test("docs/providers.md has every kind's time limits", async () => {
  const text = await read("docs/providers.md");
  const phases = ["connect", "first_byte", "first_token", "gap", "answer"] as const;
  const told = new Map(
    [...text.matchAll(/^\| (`[a-z`, -]+`) ((?:\| \d+[ms] ){5})\|$/gm)].flatMap(
      ([, ids = "", limits = ""]) =>
        ids
          .split(", ")
          .map((id) => [id.replaceAll("`", ""), limits.match(/\d+[ms]/g)?.map(String)] as const),
    ),
  );
  const shown = (milliseconds: number) =>
    milliseconds % 60_000 === 0 ? `${milliseconds / 60_000}m` : `${milliseconds / 1_000}s`;
  for (const [id, { limits }] of loadProviderFiles([SHIPPED_PROVIDERS]))
    expect([id, told.get(id)]).toEqual([id, phases.map((phase) => shown(limits[phase]))]);
});

test("docs/embeddings.md: its request and its model file are ones that are read, and it has every field", async () => {
  const text = await read("docs/embeddings.md");
  const body = /-d '(\{[^']+\})'/.exec(text)?.[1] ?? "";
  expect(parseRequest(EmbeddingsRequest, JSON.parse(body)).model).toBe("all-minilm");
  const toml = /```toml\n([\s\S]+?)```/.exec(text)?.[1] ?? "";
  expect(parseModelFile(toml, "docs").file.embeddings?.dimensions).toBe(768);
  const named = Object.keys(EmbeddingsRequest.shape).filter((name) => !(name in routingFields));
  for (const name of named.filter((each) => each !== "model" && each !== "user"))
    expect(text).toContain(`\`${name}\``);
});

test("docs/models.md names every filter of the list", async () => {
  const text = await read("docs/models.md");
  for (const name of Object.keys(ModelsQuery.shape)) expect(text).toContain(`\`${name}\``);
});

test("docs/providers.md names every shipped provider and every option", async () => {
  const text = await read("docs/providers.md");
  for (const id of loadProviderFiles([SHIPPED_PROVIDERS]).keys())
    expect(text).toContain(`\`${id}\``);
  const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const options = knownKeys(ConfigFile, ["providers", "x"]);
  const ofModels = knownKeys(ConfigFile, ["providers", "x", "models", 0]);
  for (const key of [...options, ...ofModels]) expect(text).toContain(`\`${snake(key)}\``);
});
