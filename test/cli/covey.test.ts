import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { type FakeHub, sha256, startFakeHub } from "../catalog/fake-hub.ts";

/** The command as a user runs it: Node's launcher, Bun under it, a home of its own. */

const launcher = path.resolve(import.meta.dir, "../../bin/covey.mjs");
let folder: string;
let home: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "covey-cli-"));
  home = path.join(folder, "home");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function start(args: string[], env: Record<string, string> = {}) {
  return Bun.spawn(["node", launcher, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, COVEY_HOME: home, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function covey(args: string[], env: Record<string, string> = {}) {
  const child = start(args, env);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

/** The text of a file, once it is there. */
async function told(file: string): Promise<string> {
  for (const deadline = performance.now() + 30_000; ; await Bun.sleep(50)) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text.endsWith("\n")) return text.trim();
    if (performance.now() > deadline) throw new Error(`${file} never came`);
  }
}

test("covey --help and covey alone teach the commands", async () => {
  const [asked, alone] = await Promise.all([covey(["--help"]), covey([])]);
  expect(asked.code).toBe(0);
  for (const name of ["serve", "pull", "models", "keys", "check"])
    expect(asked.out).toContain(`  ${name} `);
  expect(alone).toEqual(asked);
});

test("a wrong word ends with 2 and one line", async () => {
  const { out, err, code } = await covey(["serve", "--prot", "1"]);
  expect([out, code]).toEqual(["", 2]);
  expect(err).toBe(
    "covey: covey serve has no option --prot, did you mean --port?; see npx covey serve --help\n",
  );
});

test("a bad config line is one clear line and exit 1", async () => {
  await writeFile(path.join(folder, "covey.toml"), "[server]\nprot = 1\n");
  const { err, code } = await covey(["models"]);
  expect([err, code]).toEqual([
    'covey: covey.toml:2: unknown key "prot" in [server]; did you mean "port"?\n',
    1,
  ]);
});

test("the .env of the folder it is started from is read", async () => {
  await writeFile(path.join(folder, ".env"), "COVEY_PORT=none\n");
  const { err, code } = await covey(["models"]);
  expect([err, code]).toEqual([
    'covey: COVEY_PORT: expected a port from 0 to 65535, got "none"\n',
    2,
  ]);
});

test("covey models --json says what is ready and what has to be pulled", async () => {
  const { out, code } = await covey(["models", "--json"]);
  expect(code).toBe(0);
  const rows: { id: string; state: string; fits: boolean; detail: string | null }[] =
    JSON.parse(out);
  // What came with `npm install`: a text model, one for embeddings.
  for (const id of [
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "sentence-transformers/all-MiniLM-L6-v2",
  ]) {
    const row = rows.find((each) => each.id === id);
    expect(row).toMatchObject({ state: "ready", fits: true, detail: null });
  }
  expect(rows[0]?.state).toBe("ready");
  expect(rows.find(({ id }) => id === "Qwen/Qwen2.5-1.5B-Instruct")).toMatchObject({
    state: "missing",
    detail: "run npx covey pull qwen2.5-1.5b",
  });
});

test("a model too big for the memory budget is told so", async () => {
  await writeFile(path.join(folder, "covey.toml"), '[engine]\nmemory_budget = "900MB"\n');
  const { out } = await covey(["models"]);
  expect(out).toMatch(
    /TinyLlama-1.1B-Chat-v1.0 +tinyllama +323 MB +fits +4 × 2048 tokens, .* f16 cache, .* ready to load/,
  );
  expect(out).toMatch(
    /SmolLM3-3B +smollm3 +1\.9 GB +too big: needs 2\.4 GB of 900 MB +– +run npx covey pull smollm3/,
  );
  expect(out).toMatch(/covey\/ocr .* too big: needs 1\.2 GB of 900 MB +– +too big: raise memory/);
});

describe("covey check", () => {
  test("is content when everything is right", async () => {
    const { out, code } = await covey(["check", "--port", "0"]);
    expect(out.split("\n").filter((line) => line.startsWith("✗"))).toEqual([]);
    expect(code).toBe(0);
  });

  test("names the port in use and exits 1", async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const address = other.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const { out, code } = await covey(["check", "--port", port]);
    expect(out).toContain(`✗ port: 127.0.0.1:${port} is in use`);
    expect(code).toBe(1);
    await new Promise((done) => other.close(done));
  });

  test("knows the port of its own running server, and of another home's it does not", async () => {
    const server = start(["serve", "--port", "0"]);
    try {
      const address = await told(path.join(home, "address"));
      const port = address.split(":")[1] ?? "";
      const own = await covey(["check", "--port", port]);
      expect(own.out).toContain(
        `✓ port: ${address} is where the server of ${home} listens (process `,
      );
      expect(own.code).toBe(0);
      const other = await covey(["check", "--port", port, "--home", path.join(folder, "other")]);
      expect(other.out).toContain(`✗ port: ${address} is in use`);
    } finally {
      server.kill();
      await server.exited;
    }
  }, 60_000);

  test("names two models of one name", async () => {
    await mkdir(path.join(home, "models"), { recursive: true });
    await writeFile(
      path.join(home, "models", "mine.toml"),
      'id = "tinyllama"\nname = "n"\ncreated = 0\nowned_by = "o"\ncontext_length = 8\nlicense = "MIT"\n[weights]\nfile = "x"\n',
    );
    const { out, code } = await covey(["check", "--port", "0"]);
    expect(out).toContain('both have the name "tinyllama"');
    expect(code).toBe(1);
  });
});

describe("covey pull", () => {
  let hub: FakeHub;
  const reference = "hf:owner/some-model-GGUF/some-model-Q4_K_M.gguf";
  const models = () => path.join(home, "models");
  const file = () => path.join(models(), "owner--some-model-GGUF--some-model-Q4_K_M.gguf");

  beforeEach(async () => {
    hub = await startFakeHub(smallGguf());
  });
  afterEach(() => hub[Symbol.asyncDispose]());

  test("any GGUF of the hub becomes a model", async () => {
    const { out, code } = await covey(["pull", reference], { HF_ENDPOINT: hub.endpoint });
    expect(code).toBe(0);
    expect(out).toContain(
      `owner/some-model-Q4_K_M is ready: ${(hub.file.length / 1e6).toFixed(1)} MB, sha256 ${sha256(hub.file)}`,
    );
    const rows: { id: string; state: string; contextLength: number }[] = JSON.parse(
      (await covey(["models", "--json"])).out,
    );
    expect(rows.find(({ id }) => id === "owner/some-model-Q4_K_M")).toMatchObject({
      state: "ready",
      contextLength: 512,
    });
    const again = await covey(["pull", "owner/some-model-q4_k_m"], { HF_ENDPOINT: hub.endpoint });
    expect([again.code, again.out]).toEqual([
      0,
      `owner/some-model-Q4_K_M is already here: ${file()}\n` +
        'use it as "model": "owner/some-model-Q4_K_M"; a running server sees it within seconds, or after a restart if its model file is new to it\n',
    ]);
  });

  test("two repositories of one owner may call a file the same", async () => {
    const env = { HF_ENDPOINT: hub.endpoint };
    const names = ["hf:owner/first/t.gguf", "hf:owner/second/t.gguf", "hf:owner/second/t.gguf"];
    const said: string[] = [];
    for (const name of names) said.push((await covey(["pull", name], env)).out);
    expect(said[0]).toEndWith(
      'use it as "model": "owner/t"; a running server sees it after a restart\n',
    );
    expect(said[1]).toEndWith(
      'use it as "model": "owner/second-t"; a running server sees it after a restart\n',
    );
    expect(said[2]).toContain("owner/second-t is already here");

    hub.refusal = { status: 404, code: "EntryNotFound" };
    const gone = await covey(["pull", "hf:owner/third/t.gguf"], env);
    expect([gone.err, gone.code]).toEqual([
      `covey: owner/third has no file t.gguf at main: see ${hub.endpoint}/owner/third/tree/main\n`,
      1,
    ]);
    const other = await covey(["pull", "hf:owner/first@v2/t.gguf"], env);
    expect(other.err).toContain("the model owner/t is another revision of this file");
  });

  test("the starter, which came with the install, is joined and can be used at once", async () => {
    const { out, code } = await covey(["pull", "tinyllama"], { HF_ENDPOINT: hub.endpoint });
    expect(code).toBe(0);
    expect(out).toEndWith(
      'use it as "model": "tinyllama"; a running server sees it within seconds\n',
    );
    expect(hub.hubRequests.length).toBe(0);
  });

  test("killed midway, it goes on from its part", async () => {
    hub.hangs = [1_500_000];
    const child = start(["pull", reference], { HF_ENDPOINT: hub.endpoint });
    await until(async () => (await sizeOf(`${file()}.part`)) >= 1_500_000);
    const pid = await readFile(`${file()}.lock`, "utf8");
    process.kill(Number(pid), "SIGKILL");
    expect(await child.exited).toBe(137);
    expect(await readdir(models())).not.toContain(path.basename(file()));

    const { code, err } = await covey(["pull", reference], { HF_ENDPOINT: hub.endpoint });
    expect([code, err.includes("\x1b")]).toEqual([0, false]);
    expect(hub.cdnRequests.at(-1)?.headers.range).toBe("bytes=1500000-");
    expect(sha256(await readFile(file()))).toBe(sha256(hub.file));
  });

  test("Ctrl-C through the launcher stops it, keeps the part and exits 130", async () => {
    hub.hangs = [1_500_000];
    const child = start(["pull", reference], { HF_ENDPOINT: hub.endpoint });
    await until(async () => (await sizeOf(`${file()}.part`)) >= 1_500_000);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(await new Response(child.stderr).text()).toContain(
      `stopped; npx covey pull ${reference} goes on from here`,
    );
    expect(await sizeOf(`${file()}.part`)).toBeGreaterThan(0);
  });

  test("what is not a GGUF file is said so", async () => {
    hub.file = new TextEncoder().encode("not a model at all, in no way");
    hub.sha256 = sha256(hub.file);
    const { err, code } = await covey(["pull", reference], { HF_ENDPOINT: hub.endpoint });
    expect(code).toBe(1);
    expect(err).toContain("cannot be used: it does not begin as a GGUF file does");
  });

  test.each([
    ["hf:owner/n@main/../../x.gguf", "is not hf:<owner>/<name>", 2],
    ["hf:owner/n/model.safetensors", "is not a .gguf file", 1],
    ["hf:owner/n/m-00001-of-00003.gguf", "one part of a split model", 1],
    ["no-such-model", 'no model "no-such-model"; npx covey models lists those there are', 1],
    ["tinylama", "did you mean TinyLlama/TinyLlama-1.1B-Chat-v1.0? npx covey models lists", 1],
  ])("%s is refused", async (name, message, exit) => {
    const { err, code } = await covey(["pull", name], { HF_ENDPOINT: hub.endpoint });
    expect(err).toContain(message);
    expect(code).toBe(exit);
    expect(hub.hubRequests.length).toBe(0);
  });
});

async function sizeOf(name: string): Promise<number> {
  return stat(name).then(
    ({ size }) => size,
    () => 0,
  );
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error("it did not become true within 20 s");
    await Bun.sleep(10);
  }
}

/** A GGUF header with two facts and bytes to download after it. */
function smallGguf(): Uint8Array {
  const buffer = Buffer.alloc(3_000_000, 7);
  let at = 0;
  const u32 = (value: number) => {
    at = buffer.writeUInt32LE(value, at);
  };
  const u64 = (value: number) => {
    at = buffer.writeBigUInt64LE(BigInt(value), at);
  };
  const text = (value: string) => {
    u64(value.length);
    at += buffer.write(value, at);
  };
  u32(0x46554747);
  u32(3);
  u64(0);
  u64(2);
  text("general.architecture");
  u32(8);
  text("llama");
  text("llama.context_length");
  u32(4);
  u32(512);
  return new Uint8Array(buffer);
}
