import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, startApp } from "../src/app.ts";
import { loadConfig } from "../src/config/load.ts";
import { rereadConfig } from "../src/config/reread.ts";
import { createLog } from "../src/lib/log.ts";
import { HomeError, openHome } from "../src/store/home.ts";

/** The project's own root: where `npm start` is typed. */
export const ROOT = join(import.meta.dir, "..");

/**
 * One home folder for all tests that need the starter model, so that its weights are joined once.
 * It is kept between runs, and is taken by one process at a time, like any home.
 */
export const WEIGHTS_HOME = join(tmpdir(), "covey-test-home");

/** The weights, and the file whose lock the home is. */
const KEPT = new Set(["models", "lock.db"]);

const HOME_PATIENCE_MS = 120_000;

export interface TestCovey {
  readonly app: App;
  /** `http://127.0.0.1:…`, without `/v1`. */
  readonly url: string;
  readonly home: string;
  /** What was logged, line by line. */
  readonly logged: readonly string[];
  /** Puts another text into the config file; `app.reload()` reads it. */
  rewrite(toml: string): void;
  close(): Promise<void>;
}

export interface TestOptions {
  /** Text of a config file; `[server] port = 0` and no preload unless it says otherwise. */
  readonly toml?: string;
  /** A home that is kept; without it a fresh one that is removed. */
  readonly home?: string;
  readonly env?: Record<string, string>;
  readonly flags?: Record<string, string>;
}

/** A whole Covey in this process, on a free port, with its own home folder. */
export async function startCovey(options: TestOptions = {}): Promise<TestCovey> {
  const folder = mkdtempSync(join(tmpdir(), "covey-test-"));
  const home = options.home ?? join(folder, "home");
  const file = join(folder, "covey.toml");
  writeFileSync(file, options.toml ?? "[engine]\npreload = false\n");
  const sources = {
    flags: { config: file, home, port: "0", ...options.flags },
    // The same object again for a reload: a test may change it.
    env: options.env ?? {},
    cwd: folder,
  };
  const config = loadConfig(sources);
  const logged: string[] = [];
  const app = await startApp(
    config,
    createLog((line) => logged.push(line), false),
    { reread: () => rereadConfig(sources, config) },
  );
  return {
    app,
    url: app.url,
    home,
    logged,
    rewrite: (toml) => writeFileSync(file, toml),
    close: async () => {
      await app.close(0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Of the home that is kept only the weights are: another test's keys would close it to this one. */
function emptyStarterHome(): void {
  const home = openHome(WEIGHTS_HOME);
  for (const name of readdirSync(WEIGHTS_HOME))
    if (!KEPT.has(name)) rmSync(join(WEIGHTS_HOME, name), { recursive: true });
  home.release();
}

/**
 * A whole Covey in this process that can answer with the starter model. Its home is shared by all
 * tests that want one, one after the other: another process that has it is waited for.
 */
export async function startStarterCovey(options: TestOptions = {}): Promise<TestCovey> {
  const deadline = performance.now() + HOME_PATIENCE_MS;
  for (;;) {
    try {
      emptyStarterHome();
      return await startCovey({ ...options, home: WEIGHTS_HOME });
    } catch (error) {
      if (!(error instanceof HomeError) || performance.now() > deadline) throw error;
      await Bun.sleep(200);
    }
  }
}

export interface CoveyProcess {
  readonly url: string;
  readonly pid: number;
  /** What it has written so far, both streams. */
  output(): string;
  /** Resolves with the text once it has been written; rejects when the process ends before. */
  waitFor(text: string | RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number>;
  /** Kills it, if it still runs, and waits for its end. */
  end(): Promise<void>;
}

/**
 * Covey as a user starts it: `bun … src/main.ts serve` in a process of its own. Resolves when it
 * listens; rejects with its output when it ends instead.
 */
export async function spawnCovey(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CoveyProcess> {
  const child = Bun.spawn(
    [
      process.execPath,
      "--env-file=bin/runtime.env",
      "src/main.ts",
      "serve",
      "--port",
      "0",
      ...args,
    ],
    {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  let output = "";
  let ended = false;
  const waiting = new Set<() => void>();
  const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      output += decoder.decode(bytes, { stream: true });
      for (const check of waiting) check();
    }
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const exited = child.exited.then(async (code) => {
    await collected;
    ended = true;
    for (const check of waiting) check();
    return code;
  });
  const waitFor = (text: string | RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = typeof text === "string" ? output.includes(text) : text.test(output);
        if (!found && !ended) return;
        waiting.delete(check);
        if (found) resolve();
        else reject(new Error(`covey ended without saying ${text}:\n${output}`));
      };
      waiting.add(check);
      check();
    });
  await waitFor(/listens on http:\S+\n/);
  const url = /listens on (http:\S+)\n/.exec(output)?.[1] ?? "";
  return {
    url,
    pid: child.pid,
    output: () => output,
    waitFor,
    kill: (signal) => child.kill(signal),
    exited,
    end: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
