import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { loadCatalog, parseModelFile, SHIPPED_MODELS } from "./load.ts";
import { nearest, resolve } from "./resolve.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "covey-catalog-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (id: string, more = "") =>
  `id = "${id}"\nname = "n"\ncreated = "2025-01-02"\nowned_by = "o"\ncontext_length = 8\nlicense = "MIT"\n${more}\n[weights]\nhf = "o/r@main/f.gguf"\n`;

test("a model answers to its id and its aliases, whatever their case", () => {
  const catalog = loadCatalog([SHIPPED_MODELS]);
  const id = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
  for (const name of [id, id.toLowerCase(), "tinyllama", "TinyLlama-1.1B-Chat"])
    expect(resolve(catalog, name)?.id).toBe(id);
});

test("an unknown name is nobody's, and the nearest one is only a suggestion", () => {
  const catalog = loadCatalog([SHIPPED_MODELS]);
  expect(resolve(catalog, "tinylama")).toBeUndefined();
  expect(nearest(catalog, "tinylama")).toBe("TinyLlama/TinyLlama-1.1B-Chat-v1.0");
  expect(nearest(catalog, "gpt-4o-mini")).toBeUndefined();
  expect(resolve(catalog, "__proto__")).toBeUndefined();
});

test("every model that ships names its licence, and the starter its hashes", () => {
  const { models } = loadCatalog([SHIPPED_MODELS]);
  expect(models.length).toBeGreaterThanOrEqual(4);
  for (const { file } of models) expect(["Apache-2.0", "MIT"]).toContain(file.license);
  const starter = models.find(({ file }) => file.weights.source === "npm");
  expect(starter?.file.weights.sha256).toMatch(/^9ee11adf/);
});

test("a user's model file joins the catalog", async () => {
  await writeFile(path.join(folder, "mine.toml"), text("me/mine", 'aliases = ["mine"]'));
  const catalog = loadCatalog([SHIPPED_MODELS, folder, path.join(folder, "not-there")]);
  expect(resolve(catalog, "MINE")?.file.created).toBe(Date.UTC(2025, 0, 2) / 1_000);
});

test("a user's file replaces the model of the same id that ships, and says so", async () => {
  const id = "sentence-transformers/all-MiniLM-L6-v2";
  const file = path.join(folder, "mine.toml");
  await writeFile(file, text(id.toUpperCase(), 'description = "mine"'));
  const shipped = loadCatalog([SHIPPED_MODELS]);
  expect(shipped.replaced).toEqual([]);
  const catalog = loadCatalog([SHIPPED_MODELS, folder]);
  expect(catalog.replaced).toEqual([{ id, file }]);
  expect(catalog.models.length).toBe(shipped.models.length);
  expect(resolve(catalog, id)?.file.description).toBe("mine");
  // The whole file is replaced, other names included.
  expect(resolve(catalog, "all-minilm")).toBeUndefined();
  await writeFile(path.join(folder, "again.toml"), text(id));
  expect(() => loadCatalog([SHIPPED_MODELS, folder])).toThrow("both have the name");
});

test("another model's name is not a user's to take", async () => {
  await writeFile(path.join(folder, "mine.toml"), text("me/mine", 'aliases = ["tinyllama"]'));
  expect(() => loadCatalog([SHIPPED_MODELS, folder])).toThrow('both have the name "tinyllama"');
});

test("two models of one name are refused, with both ids", async () => {
  await writeFile(path.join(folder, "a.toml"), text("me/a", 'aliases = ["x"]'));
  await writeFile(path.join(folder, "b.toml"), text("me/b", 'aliases = ["X"]'));
  expect(() => loadCatalog([folder])).toThrow(/me\/a and me\/b both have the name "x"/);
});

test("an unknown key is an error with file, line and the key that was meant", () => {
  expect(() => parseModelFile(text("me/a", 'licence = "MIT"'), "a.toml")).toThrow(
    'a.toml:7: unknown key "licence" at the top level; did you mean "license"?',
  );
});

test("who leaves out what nobody may know gets honest defaults", () => {
  const { file } = parseModelFile(
    'id = "me/a"\nname = "n"\ncontext_length = 8\n[weights]\nfile = "a.gguf"\n',
    "a.toml",
  );
  expect([file.created, file.owned_by, file.license]).toEqual([0, "local", "unknown"]);
  expect(file.features).toEqual(["json_schema"]);
});

test("a required field that is missing is said to be missing", () => {
  const message = (text: string) => {
    try {
      return `it was read: ${parseModelFile(text, "a.toml").id}`;
    } catch (error) {
      return error instanceof Error ? error.message.split("\n") : error;
    }
  };
  expect(message("")).toEqual([
    "a.toml: id is missing",
    "a.toml: name is missing",
    "a.toml: weights is missing; expected one of npm, files, file or hf",
    "a.toml: context_length is missing",
  ]);
  const packed = 'id = "me/a"\nname = "n"\ncontext_length = 8\n[weights]\nnpm = ["p@1.0.0/x"]\n';
  expect(message(packed)).toEqual(["a.toml:4: weights.sha256 is missing"]);
  expect(
    message(`created = "soon"\n${packed.replace("p@", "o@")}sha256 = "${"a".repeat(64)}"`),
  ).toEqual(['a.toml:1: created: expected a day such as "2024-01-31", or Unix seconds']);
});

test("a key of another source of weights is an error", () => {
  expect(() => parseModelFile(`${text("me/a")}file = "x.gguf"`, "a.toml")).toThrow(
    /a\.toml:\d+: weights.*file/,
  );
});

test("an id that could name a file elsewhere is refused", () => {
  expect(() => parseModelFile(text("../evil"), "a.toml")).toThrow("a.toml:1: id: expected");
});

test("a template may be a file beside the model file", async () => {
  await writeFile(path.join(folder, "chat.jinja"), "{{ messages }}");
  const file = path.join(folder, "a.toml");
  expect(parseModelFile(text("me/a", 'template_file = "chat.jinja"'), file).file.template).toBe(
    "{{ messages }}",
  );
  expect(() => parseModelFile(text("me/a", 'template_file = "gone.jinja"'), file)).toThrow(
    "cannot read",
  );
});

test("a model file says what stands around thinking, or that there is none", () => {
  const marks = 'reasoning = { open = "<t>", close = "</t>" }';
  const reasoning = (more: string) => parseModelFile(text("o/m", more), "m.toml").file.reasoning;
  expect(reasoning(marks)).toEqual({ open: "<t>", close: "</t>" });
  expect(reasoning("reasoning = false")).toBe(false);
  expect(reasoning("")).toBeUndefined();
  expect(() => reasoning('reasoning = { open = "<t>" }')).toThrow("reasoning");
});
