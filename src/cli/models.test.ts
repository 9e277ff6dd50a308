import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { readListed } from "../catalog/listed.ts";
import { loadCatalog, parseModelFile, SHIPPED_MODELS } from "../catalog/load.ts";
import { loadProviderFiles, SHIPPED_PROVIDERS } from "../catalog/providers.ts";
import { settleProviders } from "../catalog/settle-providers.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { describeModel, modelsTable, notesOf, providerRows } from "./models.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "covey-models-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function configOf(toml: string, env: Record<string, string> = {}) {
  await writeFile(path.join(folder, "covey.toml"), toml);
  return loadConfig({ cwd: folder, env: { COVEY_HOME: path.join(folder, "home"), ...env } });
}

/** The one provider of that config, with a list of these ids. */
function listedIn(config: Config, ids: readonly string[] | null = null) {
  const files = loadProviderFiles([SHIPPED_PROVIDERS]);
  const [provider] = settleProviders(config.providers, files, config.secret);
  if (provider === undefined) throw new Error("there is one");
  return { provider, listed: ids?.flatMap((id) => readListed(id) ?? []) ?? null };
}

const BOX = `[providers.gpu-box]
base_url = "http://127.0.0.1:1/v1"
api_key_env = "GPU_BOX_KEY"
models = [{ id = "Qwen/Qwen3-32B", context_length = 40960 }, { id = "tinyllama" }]
`;

test("each provider's models are listed, under the names the catalog knows", async () => {
  const config = await configOf(BOX, { GPU_BOX_KEY: "x" });
  const rows = providerRows(loadCatalog([SHIPPED_MODELS]), listedIn(config));
  expect(rows).toMatchObject([
    { id: "Qwen/Qwen3-32B", provider: "gpu-box", state: "ready", contextLength: 40_960 },
    { id: "TinyLlama/TinyLlama-1.1B-Chat-v1.0", provider: "gpu-box", contextLength: 2_048 },
  ]);
  expect(modelsTable(rows)).toMatch(/^Qwen\/Qwen3-32B +– +– +– +– +at gpu-box$/m);
});

test("a provider without its key says which variable is not set", async () => {
  const rows = providerRows(loadCatalog([SHIPPED_MODELS]), listedIn(await configOf(BOX)));
  expect(rows[0]).toMatchObject({ state: "missing", detail: "GPU_BOX_KEY is not set" });
  expect(modelsTable(rows)).toMatch(/^Qwen\/Qwen3-32B .* GPU_BOX_KEY is not set$/m);
});

test("a provider's list is shown as it was last, and what the table leaves out is counted", async () => {
  const config = await configOf('[providers.gpu]\ntype = "vllm"\nbase_url = "http://g/v1"\n');
  const list = listedIn(config, ["a/one", "a/two", "a/three"]);
  const rows = providerRows(loadCatalog([SHIPPED_MODELS]), list);
  expect(rows.map(({ id, provider }) => [id, provider])).toEqual([
    ["a/one", "gpu"],
    ["a/two", "gpu"],
    ["a/three", "gpu"],
  ]);
  expect(notesOf(list, 3, 20)).toEqual([]);
  expect(notesOf(list, 3, 2)).toEqual([
    "gpu: 1 more of 3 models; npx covey models --all shows them",
  ]);
  expect(notesOf(listedIn(config), 0, 20)).toEqual([
    "gpu: its list has not been fetched yet; a running server does",
  ]);
});

test("a file that is not there, or is junk, shows that", async () => {
  const file = path.join(folder, "mine.toml");
  const model = parseModelFile(
    'id = "me/mine"\nname = "n"\ncontext_length = 8\n[weights]\nfile = "mine.gguf"\n',
    file,
  );
  const config = await configOf("");
  const weights = path.join(folder, "mine.gguf");
  expect(modelsTable([await describeModel(model, config)])).toContain(
    `me/mine  –      –     –    –          there is no file ${weights}`,
  );
  await writeFile(weights, "junk");
  expect(await describeModel(model, config)).toMatchObject({
    state: "missing",
    detail: `${weights} is not a GGUF file: other formats cannot be loaded`,
  });
});

test("without the engine no embedded model is ready", async () => {
  const lack = "needs the embedded engine: npm install";
  for (const model of loadCatalog([SHIPPED_MODELS]).models)
    expect(await describeModel(model, await configOf(""), lack)).toMatchObject({
      state: "missing",
      detail: lack,
    });
});

test("how a model runs is shown before it is loaded, as the config says it", async () => {
  const starter = loadCatalog([SHIPPED_MODELS]).models.find(({ id }) =>
    id.startsWith("TinyLlama/"),
  );
  if (starter === undefined) throw new Error("there is one");
  const engine = "[engine]\nthreads = 3\nsequences = 2\nmemory_budget = ";
  const row = async (budget: string, more = "") =>
    describeModel(starter, await configOf(`${engine}"${budget}"\n${more}`), null);
  const roomy = await row("4GiB");
  expect(roomy.runs).toEqual({ threads: 3, sequences: 2, batchSize: 512, kvType: "f16" });
  expect(modelsTable([roomy])).toContain("2 × 2048 tokens, 3 threads, f16 cache, batches of 512");
  expect((await row("580MiB")).runs?.kvType).toBe("q8_0");
  const told = await row("4GiB", 'kv_type = "q4_0"\nbatch_size = 64\n');
  expect(told.runs).toMatchObject({ kvType: "q4_0", batchSize: 64 });
  const tight = await row("200MiB");
  expect(tight.fits).toBe(false);
  const detail = expect.stringMatching(
    /^it needs 5\d\d MB of memory and the budget is 210 MB: raise memory_budget under \[engine\]$/,
  );
  expect(tight).toMatchObject({ state: "too_big", detail });
  expect(modelsTable([tight])).toMatch(/too big: needs .* – {2,}too big: raise memory_budget/);
  // One answer at a time would fit.
  const narrow = await row("550MiB", 'kv_type = "f16"\n');
  expect(narrow.detail).toMatch(/: raise memory_budget or lower sequences under \[engine\]$/);
});

test("a model of another engine shows what it takes as that engine reckons", async () => {
  const model = loadCatalog([SHIPPED_MODELS]).models.find(({ aliases }) =>
    aliases.includes("all-minilm"),
  );
  if (model === undefined) throw new Error("there is one");
  const roomy = await describeModel(model, await configOf("[engine]\nthreads = 2\n"), null);
  expect(roomy).toMatchObject({ engine: "embeddings", state: "ready", fits: true });
  expect(modelsTable([roomy])).toMatch(/all-MiniLM-L6-v2 +all-minilm .* fits +2 threads +ready/);
  const tight = await configOf('[engine]\nmemory_budget = "100MiB"\n');
  expect(modelsTable([await describeModel(model, tight, null)])).toContain("too big: needs");
});
