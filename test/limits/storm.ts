import { join } from "node:path";

/** One request that was admitted: asked for, admitted and ended at, in Unix milliseconds. */
export interface Admitted {
  readonly asked: number;
  readonly admitted: number;
  readonly ended: number;
  /** How the limits were kept when it ended. */
  readonly mode: string;
}

export interface StormGateway {
  readonly admitted: Admitted[];
  kill(): Promise<void>;
  /** Lets it end what runs. */
  end(): Promise<void>;
}

/** A limiter in a process of its own that asks as fast as it can. Resolves when it has begun to. */
export async function stormGateway(options: object): Promise<StormGateway> {
  const script = join(import.meta.dir, "limiter-process.ts");
  const child = Bun.spawn([process.execPath, script, JSON.stringify(options)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const admitted: Admitted[] = [];
  const ready = Promise.withResolvers<void>();
  const read = (async () => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of child.stdout) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "ready") ready.resolve();
        else {
          const [asked, at, ended, mode = ""] = line.split(" ");
          admitted.push({ asked: Number(asked), admitted: Number(at), ended: Number(ended), mode });
        }
      }
    }
    ready.reject(new Error("a gateway ended before it was ready"));
  })();
  ready.promise.catch(() => undefined);
  await ready.promise;
  return {
    admitted,
    kill: async () => {
      child.kill("SIGKILL");
      await child.exited;
      await read;
    },
    end: async () => {
      await child.stdin.end();
      await child.exited;
      await read;
    },
  };
}

/**
 * The most requests that are certain to have been admitted within one window: a decision lies between
 * question and answer, so that only those count which were asked for after the window began.
 */
export function mostInAnyWindow(all: readonly Admitted[], windowMs: number): number {
  const sorted = all.toSorted((a, b) => a.admitted - b.admitted);
  let most = 0;
  for (const [index, last] of sorted.entries()) {
    let count = 0;
    for (let at = index; at >= 0; at--) {
      const each = sorted[at];
      if (each === undefined || each.admitted <= last.admitted - windowMs) break;
      if (each.asked > last.admitted - windowMs) count += 1;
    }
    most = Math.max(most, count);
  }
  return most;
}

/** The most that ran at once. */
export function mostAtOnce(all: readonly Admitted[]): number {
  const events = all.flatMap(({ admitted, ended }) => [
    { at: admitted, change: 1 },
    { at: ended, change: -1 },
  ]);
  let [running, most] = [0, 0];
  for (const { change } of events.toSorted((a, b) => a.at - b.at || a.change - b.change)) {
    running += change;
    most = Math.max(most, running);
  }
  return most;
}
