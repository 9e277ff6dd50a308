import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allowedCpus, processTree } from "./cpu.ts";

/** The project's own root. */
export const ROOT = join(import.meta.dir, "..");

export interface Started {
  readonly pid: number;
  /** What it has written so far, both streams. */
  output(): string;
  /** Writes one line to it. */
  say(line: string): void;
  /** The first match in its output, which may be yet to come; rejects when it ends before. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the CPU seconds it took; rejects when its exit code is not 0. */
  finished(): Promise<number>;
  /** Asks it to end, and after `patienceMs` ends it and all its descendants. */
  stop(patienceMs?: number): Promise<void>;
}

export interface StartOptions {
  /** The one processor it may run on; without it, any. */
  readonly cpu?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The processors there are for us, read before this process pins itself: children inherit that. */
export const ALL_CPUS = allowedCpus();
const running = new Map<number, Started>();
const folders = new Set<string>();

/** Nothing a benchmark started outlives it, whatever ended it. */
process.on("exit", () => {
  for (const pid of running.keys()) for (const own of processTree(pid)) kill(own, "SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(130));
}

/** A folder of its own, removed at the end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "covey-bench-"));
  folders.add(folder);
  return folder;
}

export function start(command: readonly string[], options: StartOptions = {}): Started {
  const child = Bun.spawn(
    ["taskset", "-c", String(options.cpu ?? ALL_CPUS.join(",")), ...command],
    {
      cwd: ROOT,
      env: { ...process.env, ...options.env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const { pid } = child;
  let output = "";
  let ended = false;
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const check of waiting) check();
  };
  const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      output += decoder.decode(bytes, { stream: true });
      wake();
    }
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const exited = child.exited.then(async (code) => {
    running.delete(pid);
    await collected;
    ended = true;
    wake();
    return code;
  });
  const started: Started = {
    pid,
    output: () => output,
    say: (line) => {
      child.stdin.write(`${line}\n`);
      child.stdin.flush();
    },
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = pattern.exec(output);
          if (found === null && !ended) return;
          waiting.delete(check);
          if (found !== null) resolve(found);
          else reject(new Error(`${command.join(" ")} ended early:\n${output}`));
        };
        waiting.add(check);
        check();
      }),
    finished: async () => {
      const code = await exited;
      if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${output}`);
      return Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6;
    },
    stop: async (patienceMs = 5000) => {
      const tree = processTree(pid);
      child.kill("SIGTERM");
      const timer = setTimeout(() => {
        for (const own of tree) kill(own, "SIGKILL");
      }, patienceMs);
      await exited;
      clearTimeout(timer);
    },
  };
  running.set(pid, started);
  return started;
}

/** Ends whatever is still running. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running.values()].map((process) => process.stop()));
}

/** Runs a command to its end. @throws Error with its output when it fails */
export async function run(command: readonly string[], options: StartOptions = {}): Promise<string> {
  const process = start(command, options);
  await process.finished();
  return process.output();
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** A port that nothing listens on now. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Waits until something accepts connections there. */
export async function accepting(port: number, patienceMs = 10_000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port,
        socket: { data: () => undefined },
      });
      socket.end();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await Bun.sleep(2);
    }
  }
}
