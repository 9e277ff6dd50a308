import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { engineInstalled } from "../../src/lib/engine-installed.ts";
import type { CallRow } from "../../src/store/index.ts";
import { type CoveyProcess, spawnCovey, startCovey, type TestCovey } from "../covey.ts";
import {
  afterText,
  type Cut,
  type CuttingRelay,
  cuttingRelay,
  inside,
  textIn,
} from "../cutting-relay.ts";
import { weights } from "../engines/local-backend.ts";
import { type Chunk, callIdOf, endedRow, post, readStream, type StreamRead } from "./wire.ts";

/**
 * Two processes with the same real model behind a gateway, and the one that is answering is killed
 * at an exact byte of its answer.
 */

setDefaultTimeout(60_000);

const MODEL = "pair/tinyllama";
const RAW = "pair/raw";
/** A server that takes no beginning of an answer in a chat, but completes any text. */
const TEXT_ONLY = `name = "Text only"
key_optional = true
[continuation]
completions = true
`;
const folder = mkdtempSync(join(tmpdir(), "covey-two-"));
let relay: CuttingRelay;
let first: CoveyProcess | null = null;
let second: CoveyProcess;
let gateway: TestCovey;

const modelFile = (id: string, path: string) => `id = "${id}"
name = "TinyLlama"
context_length = 2048
stop = ["<|user|>", "<|system|>", "<|assistant|>"]
kv_bytes_per_token = 22528
weights = { file = "${path}" }
`;

/** A Covey with a home of its own; the weights are one file for both. */
async function engine(name: string): Promise<CoveyProcess> {
  const config = join(folder, `${name}.toml`);
  const lines = ['[models]\nstarter = "pair/tinyllama"', `folders = ["${folder}/models"]`];
  writeFileSync(config, `${lines.join("\n")}\n[engine]\nthreads = 1\nsequences = 1\n`);
  return await spawnCovey(["--config", config, "--home", join(folder, name)]);
}

beforeAll(async () => {
  if (!engineInstalled()) return;
  mkdirSync(join(folder, "models"));
  writeFileSync(join(folder, "models", "tinyllama.toml"), modelFile(MODEL, await weights()));
  relay = await cuttingRelay();
  second = await engine("second");
  // The gateway knows the template of one of the two names, from the weights; it loads nothing.
  const home = join(folder, "gateway");
  mkdirSync(join(home, "models"), { recursive: true });
  mkdirSync(join(home, "providers"));
  writeFileSync(join(home, "models", "raw.toml"), modelFile(RAW, await weights()));
  writeFileSync(join(home, "providers", "text-only.toml"), TEXT_ONLY);
  const raw = `{ id = "${RAW}", upstream_id = "${MODEL}" }`;
  gateway = await startCovey({
    home,
    toml: `[engine]
preload = false
[routing]
breaker_failures = 0
[providers.one]
type = "covey"
base_url = "${relay.url}/v1"
priority = 0
models = [{ id = "${MODEL}" }, ${raw}]
[providers.two]
type = "covey"
base_url = "${second.url}/v1"
priority = 1
models = [{ id = "${MODEL}" }]
[providers.text]
type = "text-only"
base_url = "${second.url}/v1"
priority = 1
models = [${raw}]
`,
  });
});
afterAll(async () => {
  if (!engineInstalled()) return;
  await gateway.close();
  await relay.close();
  await first?.end();
  await second.end();
  rmSync(folder, { recursive: true, force: true });
});

interface Survived {
  /** What had come through when the first process died. */
  readonly before: string;
  readonly text: string;
  readonly read: StreamRead;
  readonly row: CallRow;
}

/** Asks the gateway, and kills the first process where `cut` says. */
async function killed(body: object, cut: Cut): Promise<Survived> {
  await first?.end();
  const victim = await engine("first");
  first = victim;
  relay.target = victim.url;
  const passed = relay.cutNext(cut, async () => {
    process.kill(victim.pid, "SIGKILL");
    await victim.exited;
  });
  const asked = { model: MODEL, ...body, stream: true, stream_options: { include_usage: true } };
  const response = await post(`${gateway.url}/v1/chat/completions`, asked);
  expect(response.status).toBe(200);
  const read = await readStream(response);
  if (relay.waiting) throw new Error(`it was not cut: ${JSON.stringify(read.text)}`);
  const row = await endedRow(gateway, callIdOf(response));
  const wrong = read.chunks.find(({ error }) => error !== undefined);
  if (wrong !== undefined) throw new Error(`the stream failed: ${JSON.stringify([wrong, row])}`);
  return { before: textIn(await passed), text: read.text, read, row };
}

/** One answer, whatever happened on the way: one id, role, finish and usage, and a row that says how. */
async function expectOneAnswer(
  { read, row, text }: Survived,
  how: "restart" | "continue",
  { stop = "", provider = "two" } = {},
) {
  const { chunks, done } = read;
  const choices = chunks.flatMap((chunk) => chunk.choices);
  expect(done).toBe(true);
  expect(new Set(chunks.map((chunk: Chunk & { id?: string }) => chunk.id)).size).toBe(1);
  expect(choices.filter(({ delta }) => delta?.role !== undefined)).toHaveLength(1);
  expect(choices.filter(({ finish_reason }) => finish_reason !== null)).toHaveLength(1);
  const usages = chunks.flatMap(({ usage }) => (usage === undefined ? [] : [usage]));
  expect(usages).toHaveLength(1);
  const [usage] = usages;
  expect(usage).toMatchObject({
    total_tokens: (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0),
  });
  // The end token, and what was made of a stop string; a few where the seam is read in other tokens.
  const tokens = await tokensIn(text + stop);
  expect(Math.abs((usage?.completion_tokens ?? 0) - tokens)).toBeLessThanOrEqual(4);
  expect(row).toMatchObject({ status: "completed", provider, resumed: 1 });
  expect(row.attempts.map((attempt) => [attempt.provider, attempt.how])).toEqual([
    ["one", "first"],
    [provider, how],
  ]);
  expect(row.attempts.map(({ error }) => error === null)).toEqual([false, true]);
}

async function tokensIn(text: string): Promise<number> {
  const body = { model: MODEL, text, add_special_tokens: false };
  const answer = await post(`${second.url}/v1/tokenize`, body);
  return z.object({ count: z.number() }).parse(await answer.json()).count;
}

const Whole = z.object({
  choices: z.tuple([z.object({ message: z.object({ content: z.string() }) })]),
});

/** The same answer, from one process that lives. */
async function uninterrupted(body: object): Promise<string> {
  const answer = await post(`${second.url}/v1/chat/completions`, { ...body, model: MODEL });
  const { choices } = Whole.parse(await answer.json());
  return choices[0].message.content;
}

const ask = (content: string, fields: object) => ({
  messages: [{ role: "user", content }],
  max_tokens: 40,
  ...fields,
});
const capital = "What is the capital of France?";

/** A text that the model goes on with almost surely: its beginning is there three times. */
const line = "Crème brûlée 🙂 naïve café.";
const repeating = (fields: object) => ({
  messages: [
    { role: "user", content: `Write this line again and again: ${line}` },
    { role: "assistant", content: `${line}\n${line}\n${line}\n` },
  ],
  continue_final_message: true,
  add_generation_prompt: false,
  max_tokens: 34,
  // So little chance is left that the line comes, though the request does not say so.
  top_p: 0.05,
  ...fields,
});

test.if(engineInstalled())("killed in the middle of a word, at temperature 0", async () => {
  const body = ask("Repeat exactly: Crème brûlée", { temperature: 0, seed: 1, max_tokens: 24 });
  const whole = await uninterrupted(body);
  const survived = await killed(
    body,
    afterText((text) => text.endsWith("br")),
  );
  expect(survived.text).toBe(whole);
  expect(survived.before).toEndWith("br");
  await expectOneAnswer(survived, "restart");
});

test.if(engineInstalled())("killed with half a character out, at temperature 0", async () => {
  const body = repeating({ temperature: 0, seed: 1 });
  const whole = await uninterrupted(body);
  expect(whole).toContain("🙂");
  const survived = await killed(body, inside("🙂", 2));
  expect(survived.text).toBe(whole);
  await expectOneAnswer(survived, "restart");
});

test.if(engineInstalled())("killed inside a stop string, at temperature 0", async () => {
  const almost = "Paris, which is the capital of Spain";
  const ends = "Paris, which is the capital of the";
  for (const stop of [almost, ends]) {
    const body = ask(capital, { temperature: 0, stop });
    const whole = await uninterrupted(body);
    // Nothing comes while it holds the stop string back; some tokens of it are made meanwhile. The space
    // before it may have come with the word.
    const survived = await killed(
      body,
      afterText((text) => text.trimEnd().endsWith(" is")),
    );
    expect(survived.text).toBe(whole);
    await expectOneAnswer(survived, "restart", { stop: stop === ends ? stop : "" });
  }
});

test.if(engineInstalled())("killed in the middle of a word, drawn at random", async () => {
  const survived = await killed(
    repeating({ temperature: 0.8 }),
    afterText((text) => text.endsWith("br")),
  );
  expect(survived.before).toEndWith("br");
  expect(survived.text).toStartWith(`${survived.before}ûlée`);
  expect(survived.text).not.toMatch(/ {2}|<\||assistant/);
  await expectOneAnswer(survived, "continue");
});

test.if(engineInstalled())("killed with half a character out, drawn at random", async () => {
  const survived = await killed(repeating({ temperature: 0.8 }), inside("🙂", 2));
  expect(survived.before).not.toContain("🙂");
  expect(survived.text).toStartWith("Crème brûlée 🙂 naïve");
  expect(survived.text).not.toContain("\u{FFFD}");
  await expectOneAnswer(survived, "continue");
});

test.if(engineInstalled())("killed inside a stop string, drawn at random", async () => {
  const stop = "naïve café.";
  const survived = await killed(
    repeating({ temperature: 0.8, stop }),
    afterText((text) => text.includes("🙂")),
  );
  expect(survived.text.trimEnd()).toBe("Crème brûlée 🙂");
  await expectOneAnswer(survived, "continue", { stop });
});

test.if(engineInstalled())("killed with a seed: the same text as without", async () => {
  const body = ask("Tell me a story.", { temperature: 0.8, seed: 7, max_tokens: 24 });
  const whole = await uninterrupted(body);
  const survived = await killed(
    body,
    afterText((text) => text.length > 25),
  );
  expect(survived.text).toBe(whole);
  await expectOneAnswer(survived, "restart");
});

test.if(engineInstalled())(
  "where only text can be completed, the chat is rendered here",
  async () => {
    const body = repeating({ model: RAW, temperature: 0.8, provider: { only: ["one", "text"] } });
    const survived = await killed(
      body,
      afterText((text) => text.endsWith("br")),
    );
    expect(survived.before).toEndWith("br");
    expect(survived.text).toStartWith(`${survived.before}ûlée 🙂`);
    await expectOneAnswer(survived, "continue", { provider: "text" });
  },
);
