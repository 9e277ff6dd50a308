import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { TRANSLATIONS } from "./provider-file.ts";
import { fileOf, loadProviderFiles, readProviderFiles, SHIPPED_PROVIDERS } from "./providers.ts";

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
    "sd-webui",
    "sglang",
    "tabbyapi",
    "vllm",
  ]);
});

for (const [id, file] of SHIPPED) {
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

test("servers of one's own are self-hosted, hosted and unknown ones are not", () => {
  const own = [...SHIPPED].filter(([, file]) => file.self_hosted).map(([id]) => id);
  expect(own).toEqual([
    "aphrodite",
    "covey",
    "llamacpp",
    "ollama",
    "sd-webui",
    "sglang",
    "tabbyapi",
    "vllm",
  ]);
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
  const { files } = readProviderFiles(home);
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
  [
    'name = "x"\n[parameters]\ntop_k = "k"\ntypicl_p = false',
    'bad.toml:4: parameters.typicl_p: is no parameter of a request; did you mean "typical_p"?',
  ],
  [
    'name = "x"\n[explicit]\ntemprature = 1',
    'bad.toml:3: explicit.temprature: is no parameter of a request; did you mean "temperature"?',
  ],
  ['name = "x"\n[parameters]\nmodels = false', "parameters.models: is no parameter of a request"],
  ['name = "x"\n[quirks\n', "bad.toml:2: "],
  ["", "bad.toml: name is missing"],
])("%j is refused with its place", async (text, message) => {
  await write("bad.toml", text);
  expect(readProviderFiles(home).faults.get("bad")).toContain(message);
  expect(() => loadProviderFiles([path.join(home, "providers")])).toThrow(message);
});

test("a bad file of one's own leaves the shipped one of its name", async () => {
  await write("vllm.toml", 'name = "My vLLM"\nhedaers = {}\n');
  const { files, faults } = readProviderFiles(home);
  expect(files.get("vllm")?.name).toBe("vLLM");
  expect([...faults.keys()]).toEqual(["vllm"]);
});
