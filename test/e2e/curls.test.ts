import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, startStarterCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { isHere } from "../needs.ts";
import { type OracleSchema, oracle } from "../oracle.ts";
import { FAKE_KEY, fakeConfig } from "./wire.ts";

/** What providers' documentation tells people to type works here with base URL, key and model changed. */

const KEY = "sk-admin-fedcba9876543210fedcba98";
const BRIEF = "test/brief";
const BASES = /https:\/\/api\.(featherless|arliai)\.(ai|com)\/v1/g;
const seed = (name: string) => readFileSync(join(import.meta.dir, "seed", name), "utf8");

/** One command a paragraph, after the comment. */
const COMMANDS = seed("curls.sh").trim().split("\n\n").slice(1);
const SCHEMAS: readonly (readonly [path: string, schema: OracleSchema | null])[] = [
  ["/chat/completions", "CreateChatCompletionResponse"],
  ["/completions", "CreateCompletionResponse"],
  ["/models", "ListModelsResponse"],
  ["/tokenize", null],
];

const runs = isHere("bash", "curl");
let upstream: FakeUpstream;
let covey: TestCovey;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "covey-seeds-"));
  writeFileSync(join(folder, "brief.toml"), briefModel());
  upstream = fakeUpstream();
  covey = await startStarterCovey({
    toml: fakeConfig(upstream, ["echo", "bare"], `[models]\nfolders = ["${folder}"]\n`),
    env: { FAKE_KEY, COVEY_ADMIN_KEY: KEY },
  });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The starter model under another name, its answers kept short whatever the commands ask for. */
const briefModel = () =>
  readFileSync(join(ROOT, "catalog/models/tinyllama-1.1b-chat.toml"), "utf8")
    .replace(/^id = .*$/m, `id = "${BRIEF}"\nmax_output = 12`)
    .replace(/^aliases = .*$/m, "");

const changed = (text: string, model: string) =>
  text
    .replaceAll(BASES, `${covey.url}/v1`)
    .replaceAll(/\b(sk-YOUR_KEY|YOUR_API_KEY)\b/g, KEY)
    .replaceAll(/("model": )"[^"]+"/g, `$1"${model}"`);

async function bash(script: string, env: Record<string, string> = {}): Promise<string> {
  const child = Bun.spawn(["bash", "-c", script], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`exit ${code}: ${err}\n${script}`);
  return out;
}

/** Runs a curl and gives its status and body. */
async function typed(command: string): Promise<{ status: string; body: unknown }> {
  const asTyped = `curl() { command curl -sS --write-out '\\n%{http_code}' "$@"; }\n${command}`;
  const lines = (await bash(asTyped)).trimEnd().split("\n");
  const status = lines.pop() ?? "";
  return { status, body: JSON.parse(lines.join("\n")) };
}

const isVision = (command: string) => command.includes("image_url");
const hasTokens = (command: string) => command.includes("/tokenize");
const EMBEDDED = COMMANDS.filter((command) => !isVision(command));
/** An image's URL would be fetched for a provider on a private address: `seed-curls.test.ts` plays a hosted one. */
const UPSTREAM = COMMANDS.filter((command) => !hasTokens(command) && !isVision(command));
const CASES = [
  ...EMBEDDED.map((command) => [BRIEF, command] as const),
  ...UPSTREAM.map((command) => ["echo", command] as const),
];

test.skipIf(!runs)("there are as many commands as there were", () => {
  expect([COMMANDS.length, EMBEDDED.length, UPSTREAM.length]).toEqual([14, 13, 10]);
});

describe.skipIf(!runs).each(CASES)("with %s", (model, command) => {
  test(command.split("\n", 1)[0] ?? "", async () => {
    const { status, body } = await typed(changed(command, model));
    expect([status, body]).toMatchObject(["200", {}]);
    const [, schema] = SCHEMAS.find(([path]) => command.includes(path)) ?? [];
    if (schema === undefined) throw new Error("no schema for this path");
    if (schema !== null) oracle(schema)(body);
    else expect(body).toMatchObject(tokenized(body));
    if (!command.includes("/models")) expect(body).toMatchObject({ model });
  }, 60_000);
});

/** What the contract says of an answer to tokenize: as many of each as it counts. */
function tokenized(body: unknown): object {
  const { tokens, token_strs }: { tokens: number[]; token_strs: string[] } = JSON.parse(
    JSON.stringify(body),
  );
  expect(tokens.length).toBeGreaterThan(3);
  expect(token_strs.length).toBe(tokens.length);
  return { count: tokens.length, length: tokens.length, max_model_len: expect.any(Number) };
}

test.skipIf(!runs)("health, without a key", async () => {
  expect(await typed(`curl ${covey.url}/health`)).toEqual({
    status: "200",
    body: { status: "ok", timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
  });
});

test.skipIf(!isHere("node"))(
  "a chain of models in JavaScript hands one answer to the next",
  async () => {
    const [first, second] = ["echo", "bare"];
    const sample = changed(seed("pipeline.js.txt"), "")
      .replace("Qwen/Qwen2.5-Coder-32B-Instruct", first)
      .replace("nvidia/OpenCodeReasoning-Nemotron-32B", second);
    const file = join(folder, "pipeline.mjs");
    writeFileSync(
      file,
      `${sample}\nconsole.log(JSON.stringify(await sequentialPipeline("hello")));\n`,
    );
    const results: unknown = JSON.parse(await bash(`node ${file}`));
    expect(results).toEqual([
      { model: first, output: "hello" },
      { model: second, output: "Previous output from echo:\nhello\n\nImprove this further." },
    ]);
  },
);

test.skipIf(!isHere("bash", "curl", "git", "jq"))(
  "a review of a diff in CI prints the answer",
  async () => {
    const script = changed(seed("review.sh"), "").replace(
      "Qwen/Qwen2.5-Coder-32B-Instruct",
      "echo",
    );
    const git = "git -c user.name=n -c user.email=e@example.com";
    const repository = `set -e; mkdir diff; cd diff; git init -q -b main
    echo one > file; git add file; ${git} commit -qm one
    git checkout -q -b change; echo "two 'quoted' \\"lines\\"" > file; ${git} commit -qam two; set +e`;
    const printed = await bash(`${repository}\n${script}`, { FEATHERLESS_API_KEY: KEY });
    expect(printed).toStartWith("Review this diff:\ndiff --git a/file b/file\n");
    expect(printed).toContain("-one\n+two 'quoted' \"lines\"");
  },
);
