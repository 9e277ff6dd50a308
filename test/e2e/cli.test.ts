import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCallsReadonly } from "../../src/store/index.ts";
import { startStarterCovey, WEIGHTS_HOME } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { isHere } from "../needs.ts";
import { expectChatRules } from "./stream-rules.ts";
import { npmStart, type Terminal } from "./terminal.ts";
import { callIdOf, chatBody, FAKE_KEY, fakeConfig, frames, post, readStream } from "./wire.ts";

/** `npm start -- …` as a person types it: what the screen shows, what Ctrl-C does, how it fails. */

const LISTENS = /listens on (http:\/\/127\.0\.0\.1:\d+)\n/;
const PATIENCE_MS = 30_000;

let upstream: FakeUpstream;
let folder: string;
const open: Terminal[] = [];

beforeAll(() => {
  upstream = fakeUpstream();
  folder = mkdtempSync(join(tmpdir(), "covey-cli-e2e-"));
  file("covey.toml", fakeConfig(upstream, ["gap-50"]));
});
afterEach(async () => {
  for (const terminal of open.splice(0)) await terminal.end();
});
afterAll(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function start(...args: string[]): Terminal {
  const home = args.includes("--home") ? [] : ["--home", join(folder, "home")];
  const config = args.includes("--config") ? [] : ["--config", join(folder, "covey.toml")];
  const port = args.includes("--port") ? [] : ["--port", "0"];
  const terminal = npmStart([...port, ...home, ...config, ...args], { FAKE_KEY });
  open.push(terminal);
  return terminal;
}

const urlOf = async (terminal: Terminal) => (await terminal.shows(LISTENS))[1] ?? "";

test.skipIf(!isHere("bash", "curl"))(
  "the first minute: address, models, and a curl that streams an answer of the embedded model",
  async () => {
    // Joins the weights if this is the first test that needs them, and waits for others' turn.
    await (await startStarterCovey()).close();
    const terminal = start("--home", WEIGHTS_HOME, "--config", file("plain.toml", ""));
    const url = await urlOf(terminal);
    await terminal.shows(
      /TinyLlama\/TinyLlama-1\.1B-Chat-v1\.0 +local: (ready to load|loading|ready)/,
    );
    await terminal.shows(/TinyLlama\/TinyLlama-1\.1B-Chat-v1\.0 is ready \(\d/);
    const [, curl = ""] = await terminal.shows(/^ +(curl -N .*)$/m);
    expect(curl).toContain(`${url}/v1/chat/completions`);
    const child = Bun.spawn(["bash", "-c", curl], { stdout: "pipe", stderr: "ignore" });
    let words = 0;
    for await (const frame of frames(new Response(child.stdout))) {
      if (/"content":"[^"]/.test(frame) && ++words === 3) break;
    }
    child.kill();
    // While the model answers, Ctrl-C reaches its process too: the answer comes to its end all the same.
    const answer = await post(
      `${url}/v1/chat/completions`,
      chatBody("tinyllama", "Count to ten.", { stream: true, max_tokens: 24, temperature: 0 }),
    );
    terminal.ctrlC();
    expectChatRules(await readStream(answer), { usage: false });
    expect(await terminal.exited).toBe(0);
  },
  120_000,
);

describe("Ctrl-C", () => {
  test(
    "lets a running answer finish, takes no more, and exits 0",
    async () => {
      const terminal = start();
      const url = await urlOf(terminal);
      const text = Array.from({ length: 30 }, (_, i) => `word${i}`).join(" ");
      const answer = await post(
        `${url}/v1/chat/completions`,
        chatBody("gap-50", text, { stream: true }),
      );
      terminal.ctrlC();
      await terminal.shows(/SIGINT: finishing 1 running call;/);
      const late = await fetch(`${url}/health`).catch(() => null);
      expect(late).toBeNull();
      const read = await readStream(answer);
      expect([read.text, read.done]).toEqual([text, true]);
      expect(await terminal.exited).toBe(0);
      const calls = await openCallsReadonly(join(folder, "home"));
      expect(await calls.getCall(callIdOf(answer))).toMatchObject({ status: "completed" });
      await calls.close();
    },
    PATIENCE_MS,
  );

  test(
    "twice stops at once",
    async () => {
      const terminal = start();
      const url = await urlOf(terminal);
      const text = "word ".repeat(2000);
      const answer = await post(
        `${url}/v1/chat/completions`,
        chatBody("gap-50", text, { stream: true }),
      );
      terminal.ctrlC();
      await terminal.shows(/finishing 1 running/);
      // One keypress can reach it twice, since npm hands it on; so the second is tried until it counts.
      const again = setInterval(() => terminal.ctrlC(), 100);
      try {
        expect(await terminal.exited).toBe(130);
      } finally {
        clearInterval(again);
        await answer.body?.cancel().catch(() => undefined);
      }
    },
    PATIENCE_MS,
  );
});

describe("what can't work is said in one line, and the exit is not 0:", () => {
  async function said(...args: string[]): Promise<string> {
    const terminal = start(...args);
    const code = await terminal.exited;
    const lines = terminal.screen().split("\n");
    expect([code, lines.filter((line) => line.startsWith("covey: ")).length]).toEqual([1, 1]);
    // Neither a stack trace nor half a start.
    expect(lines.filter((line) => /^\s+at |listens on/.test(line))).toEqual([]);
    return lines.find((line) => line.startsWith("covey: ")) ?? "";
  }

  test(
    "a port in use",
    async () => {
      const port = new URL(upstream.url).port;
      expect(await said("--port", port)).toBe(
        `covey: port ${port} is in use on 127.0.0.1: stop what listens there, or choose another with --port`,
      );
    },
    PATIENCE_MS,
  );

  test(
    "a bad config line",
    async () => {
      const bad = file("bad.toml", "[server]\nhost = '127.0.0.1'\nprot = 1\n");
      expect(await said("--config", bad)).toBe(
        `covey: ${bad}:3: unknown key "prot" in [server]; did you mean "port"?`,
      );
    },
    PATIENCE_MS,
  );

  test(
    "a config file that is not there",
    async () => {
      const none = join(folder, "none.toml");
      expect(await said("--config", none)).toBe(`covey: there is no config file ${none}`);
    },
    PATIENCE_MS,
  );

  test(
    "a starter model whose name nobody has",
    async () => {
      const config = file("starter.toml", '[models]\nstarter = "tinylama"\n');
      expect(await said("--config", config)).toBe(
        'covey: there is no model "tinylama", which [models] starter names; did you mean "TinyLlama/TinyLlama-1.1B-Chat-v1.0"?',
      );
    },
    PATIENCE_MS,
  );

  test(
    "a model file whose weights are not there",
    async () => {
      file(
        "own.toml",
        'id = "own/model"\nname = "n"\ncreated = 0\nowned_by = "o"\ncontext_length = 8\nlicense = "MIT"\n[weights]\nfile = "own.gguf"\n',
      );
      const models = join(folder, "models");
      await Bun.write(join(models, "own.toml"), Bun.file(join(folder, "own.toml")));
      const config = file(
        "own-config.toml",
        '[models]\nfolders = ["models"]\nstarter = "own/model"\n',
      );
      expect(await said("--config", config)).toBe(
        `covey: the starter model own/model cannot be loaded: there is no file ${join(models, "own.gguf")}`,
      );
    },
    PATIENCE_MS,
  );

  test(
    "a folder of models that is not there",
    async () => {
      const config = file("folders.toml", '[models]\nfolders = ["nowhere"]\n');
      expect(await said("--config", config)).toBe(
        `covey: there is no folder ${join(folder, "nowhere")}, which [models] folders names`,
      );
    },
    PATIENCE_MS,
  );

  test(
    "an address that others can reach, without a key",
    async () => {
      expect(await said("--host", "0.0.0.0")).toContain("there is no key");
    },
    PATIENCE_MS,
  );

  test(
    "a home that another process has",
    async () => {
      const first = start();
      const url = await urlOf(first);
      expect(await said()).toMatch(
        /^covey: The home folder \S+ is in use by process \d+\. Stop it, or start with another --home\.$/,
      );
      expect((await fetch(`${url}/health`)).status).toBe(200);
    },
    PATIENCE_MS,
  );
});
