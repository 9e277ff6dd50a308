import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { ChatRequest } from "../contract/chat.ts";
import { TRANSLATIONS } from "./provider-file.ts";
import { fileOf, loadProviderFiles, providerFolders, SHIPPED_PROVIDERS } from "./providers.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), "covey-providers-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<void> {
  await mkdir(path.join(home, "providers"), { recursive: true });
  await writeFile(path.join(home, "providers", name), text);
}

const SHIPPED = loadProviderFiles([SHIPPED_PROVIDERS]);

test("every shipped file can be read", () => {
  expect([...SHIPPED.keys()]).toEqual([
    "aphrodite",
    "arli",
    "covey",
    "featherless",
    "flexai",
    "hybridinference",
    "llamacpp",
    "ollama",
    "openai-compatible",
    "openrouter",
    "sglang",
    "tabbyapi",
    "vllm",
  ]);
});

/** Those of the contract, and OpenRouter's object beside `reasoning_effort`. */
const OURS = new Set([...Object.keys(ChatRequest.shape), "reasoning"]);

for (const [id, file] of SHIPPED) {
  test(`${id} speaks of parameters by our names`, () => {
    const names = [...Object.keys(file.parameters), ...Object.keys(file.explicit)];
    expect(names.filter((name) => !OURS.has(name))).toEqual([]);
  });

  test(`${id} names a key's variable, or needs no key`, () => {
    expect(file.key_optional || file.key_env.length > 0).toBe(true);
  });
}

test("hosted providers are given up sooner than servers of one's own", () => {
  const first = (id: string) => SHIPPED.get(id)?.limits.first_token ?? 0;
  for (const hosted of ["featherless", "arli", "hybridinference", "flexai", "openrouter"])
    for (const own of ["llamacpp", "ollama", "vllm", "sglang"])
      expect(first(hosted)).toBeLessThan(first(own));
});

test("nothing is assumed of a server that is merely compatible", () => {
  const file = SHIPPED.get("openai-compatible");
  expect(file).toMatchObject({ parameters: {}, explicit: {}, continuation: { prefill: "none" } });
  expect(file?.base_url).toBeUndefined();
});

test("a file of one's own adds a provider, or replaces a shipped one", async () => {
  await write("acme.toml", 'name = "Acme"\nbase_url = "https://api.acme.example/v1"\n');
  await write("vllm.toml", 'name = "My vLLM"\n');
  await write("notes.txt", "not a provider");
  const files = loadProviderFiles(providerFolders(home));
  expect(files.get("acme")).toMatchObject({ name: "Acme", dialect: "openai" });
  expect(files.get("vllm")?.name).toBe("My vLLM");
  expect(files.has("notes")).toBe(false);
  expect(files.size).toBe(SHIPPED.size + 1);
});

test("a provider is found by its id and by its other names", () => {
  expect(fileOf(SHIPPED, "freeinference")?.id).toBe("hybridinference");
  expect(fileOf(SHIPPED, "vllm")?.id).toBe("vllm");
  expect(fileOf(SHIPPED, "Vllm")).toBeUndefined();
});

test.each([
  ['nam = "x"', 'bad.toml:1: unknown key "nam" at the top level; did you mean "name"?'],
  [
    'name = "x"\n[quirks]\nstream_usge = true',
    'bad.toml:3: unknown key "stream_usge" in [quirks]; did you mean "stream_usage"?',
  ],
  ['name = "x"\n[limits]\ngap = "soon"', "bad.toml:3: limits.gap: expected a duration"],
  [
    'name = "x"\n[parameters]\nguided_choice = "grammar:choise"',
    `bad.toml:3: parameters.guided_choice: a name with a colon is one of ${TRANSLATIONS.join(", ")}`,
  ],
  ['name = "x"\n[quirks\n', "bad.toml:2: "],
  ["", "bad.toml: name is missing"],
])("%j is refused with its place", async (text, message) => {
  await write("bad.toml", text);
  expect(() => loadProviderFiles(providerFolders(home))).toThrow(message);
});
