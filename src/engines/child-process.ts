import { fileURLToPath } from "node:url";
import type { FromChild, ToChild } from "./frame.ts";
import type { EngineKind, Speech } from "./kind.ts";

const KEPT_LINES = 50;
/**
 * onnxruntime's packages since 1.29 tell Microsoft what runs here, and keep a device's id in the user's folder,
 * unless they are told not to before they start.
 */
const UNOBSERVED = { ORT_DISABLE_TELEMETRY: "1" };
/** The child gets what a library needs to run, and none of the keys this process may have. */
const PASSED_ON = ["PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"];

export interface ChildHandlers<S extends Speech> {
  onMessage(message: FromChild<S>): void;
  /** Called once, when the process is gone. */
  onExit(description: string): void;
}

export interface ChildStart {
  /** File that it runs. */
  readonly entry: URL;
  readonly serialization: EngineKind<Speech>["serialization"];
  readonly env: Readonly<Record<string, string>>;
}

/** One running child process with its message channel. */
export class EngineProcess<S extends Speech> {
  readonly #process: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly #lastLines: string[] = [];

  constructor({ entry, serialization, env }: ChildStart, handlers: ChildHandlers<S>) {
    this.#process = Bun.spawn([process.execPath, fileURLToPath(entry)], {
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]])),
        ...UNOBSERVED,
        ...env,
      },
      serialization,
      ipc: (message: FromChild<S>) => handlers.onMessage(message),
      onExit: (_, code, signal) =>
        handlers.onExit(signal === null ? `exit code ${code}` : `signal ${signal}`),
    });
    this.#keepErrors().catch((error: unknown) => this.#lastLines.push(String(error)));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What it wrote to standard error last, for the log. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** A message to a process that is going away is lost; its exit tells the sender. */
  send(message: ToChild<S>): void {
    if (!this.#process.killed && this.#process.exitCode === null) this.#process.send(message);
  }

  /** There is nothing to save in it. Safe to call again. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async #keepErrors(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.#process.stderr) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop()?.slice(-4_096) ?? "";
      this.#lastLines.push(...lines);
      this.#lastLines.splice(0, this.#lastLines.length - KEPT_LINES);
    }
    if (rest !== "") this.#lastLines.push(rest);
  }
}
