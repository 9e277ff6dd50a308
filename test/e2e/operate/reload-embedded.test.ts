import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStarterCovey, type TestCovey, WEIGHTS_HOME } from "../../covey.ts";
import { chatBody, post, readStream, until } from "../wire.ts";

/** A config that changes while an embedded model writes. */

const STARTER = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
const folder = mkdtempSync(join(tmpdir(), "covey-reload-"));
const mine = join(folder, "mine.toml");
const config = (more = "") =>
  `[engine]\npreload = false\nsequences = 2\n[models]\nfolders = ["${folder}"]\n${more}`;

let covey: TestCovey;
beforeAll(async () => {
  covey = await startStarterCovey({ toml: config() });
}, 180_000);
afterAll(async () => {
  await covey.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (model: string, fields: object = {}) =>
  post(
    `${covey.url}/v1/chat/completions`,
    chatBody(model, "Count from one to twenty in words.", {
      max_tokens: 24,
      temperature: 0,
      ...fields,
    }),
  );

/** A stream whose first words are there, and how it ends. */
async function begun(model: string) {
  const answer = await ask(model, { stream: true });
  if (answer.status !== 200) throw new Error(await answer.text());
  await until(
    async () =>
      covey.app.local.snapshot().find((each) => each.model === model && each.running > 0) ?? null,
    "it writes",
  );
  return { ended: readStream(answer) };
}

const stateOf = (model: string) =>
  covey.app.local.snapshot().find((each) => each.model === model)?.state ?? null;

test("a reload leaves a loaded model and what it writes alone", async () => {
  const stream = await begun(STARTER);
  covey.rewrite(config("[limits.anonymous]\nrequests_per_minute = 500\n[routing]\nattempts = 5\n"));
  expect((await covey.app.reload()).models).toEqual({ added: [], changed: [], removed: [] });
  expect(stateOf(STARTER)).toBe("ready");
  const { text, done } = await stream.ended;
  expect([text.length > 0, done]).toEqual([true, true]);
  expect(covey.logged.filter((line) => line.includes("unloaded"))).toEqual([]);
}, 120_000);

test("a model that changes, or goes, while it writes ends its answer first", async () => {
  const [weights = ""] = [
    ...new Bun.Glob("TinyLlama*.gguf").scanSync(join(WEIGHTS_HOME, "models")),
  ];
  const file = (name: string) =>
    `id = "mine/tiny"\nname = "${name}"\ncontext_length = 512\n[weights]\nfile = "${join(WEIGHTS_HOME, "models", weights)}"\n`;
  writeFileSync(mine, file("One"));
  expect((await covey.app.reload()).models.added).toEqual(["mine/tiny"]);
  const changed = await begun("mine/tiny");
  writeFileSync(mine, file("Two"));
  expect((await covey.app.reload()).models.changed).toEqual(["mine/tiny"]);
  expect((await changed.ended).text.length).toBeGreaterThan(0);
  const gone = await begun("mine/tiny");
  rmSync(mine);
  expect((await covey.app.reload()).models.removed).toEqual(["mine/tiny"]);
  expect((await ask("mine/tiny")).status).toBe(404);
  const { text, done } = await gone.ended;
  expect([text.length > 0, done]).toEqual([true, true]);
  expect(stateOf("mine/tiny")).toBeNull();
}, 180_000);
