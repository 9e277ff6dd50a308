import { spawn } from "node:child_process";
import { constants } from "node:os";
import { ROOT } from "../covey.ts";

/** `npm start -- …` in a terminal of its own. */
export interface Terminal {
  readonly pid: number;
  /** Everything on the screen so far. */
  screen(): string;
  /** Resolves once the screen shows it; rejects when the command ends before. */
  shows(text: RegExp): Promise<RegExpExecArray>;
  /** What Ctrl-C does: the signal goes to the shell's whole group, npm and Covey alike. */
  ctrlC(): void;
  readonly exited: Promise<number>;
  /** Kills what is left of it. */
  end(): Promise<void>;
}

/** Types `npm start -- <args>` in the project's folder. */
export function npmStart(args: readonly string[], env: Record<string, string> = {}): Terminal {
  const child = spawn("npm", ["start", "--", ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const pid = child.pid ?? 0;
  let screen = "";
  let ended = false;
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watch of watchers) watch();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes) => {
      screen += bytes;
      changed();
    });
  }
  const exited = new Promise<number>((resolve) => {
    child.on("close", (code, signal) => {
      ended = true;
      changed();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  return {
    pid,
    screen: () => screen,
    shows: (text) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const found = text.exec(screen);
          if (found === null && !ended) return;
          watchers.delete(watch);
          if (found === null) reject(new Error(`it ended without showing ${text}:\n${screen}`));
          else resolve(found);
        };
        watchers.add(watch);
        watch();
      }),
    ctrlC: () => process.kill(-pid, "SIGINT"),
    exited,
    end: async () => {
      if (!ended) process.kill(-pid, "SIGKILL");
      await exited;
    },
  };
}
