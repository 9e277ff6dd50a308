import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineInstalled } from "../lib/engine-installed.ts";
import { createLog } from "../lib/log.ts";
import type { Model } from "../types.ts";
import { ChatTemplates } from "./chat-templates.ts";
import { loadCatalog, SHIPPED_MODELS } from "./load.ts";
import { ModelFile } from "./schema.ts";

const chat = {
  messages: [{ role: "user", content: "Hi" }],
  addGenerationPrompt: true,
  eosToken: "</s>",
  bosToken: "<s>",
  tools: null,
  variables: {},
};

function modelOf(fields: object): Model {
  const file = ModelFile.parse({
    id: "m",
    name: "M",
    context_length: 2048,
    weights: { file: "/nowhere.gguf" },
    ...fields,
  });
  return { id: "m", aliases: [], file };
}

function inFolder() {
  const home = mkdtempSync(join(tmpdir(), "covey-templates-"));
  const logged: string[] = [];
  const log = createLog((line) => logged.push(line), false);
  const templates = new ChatTemplates({ home }, log);
  return { templates, logged, [Symbol.dispose]: () => rmSync(home, { recursive: true }) };
}

test.if(engineInstalled())(
  "the starter model's template is read from its weights, before they are joined",
  async () => {
    using at = inFolder();
    const starter = loadCatalog([SHIPPED_MODELS]).models.find(({ id }) => /TinyLlama/.test(id));
    if (starter === undefined) throw new Error("no starter model");
    expect(at.templates.of(starter)).toBeNull();
    const known = await at.templates.load(starter);
    expect(known).toMatchObject({ bosToken: "<s>", eosToken: "</s>", addsBos: true });
    expect(known?.template.render(chat)).toBe("<|user|>\nHi</s>\n<|assistant|>\n");
    expect(at.templates.of(starter)).toBe(known);
  },
);

test("a model file's own template is known without weights, its tokens are not", async () => {
  using at = inFolder();
  const model = modelOf({ template: "{{ messages[0].content }}" });
  expect(at.templates.of(model)).toMatchObject({ bosToken: null, eosToken: null });
  expect(at.templates.of(model)?.template.render(chat)).toBe("Hi");
});

test("a model without a template has none, and a broken one is told", async () => {
  using at = inFolder();
  expect(await at.templates.load(modelOf({}))).toBeNull();
  expect(at.logged).toEqual([]);
  expect(await at.templates.load(modelOf({ template: "{% if %}" }))).toBeNull();
  expect(at.logged.join()).toContain("the chat template of m can't be read");
});
