import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCovey } from "./covey.ts";
import { freePort, start } from "./processes.ts";
import { type TimedCompletion, timedCompletion } from "./timed-completion.ts";

/** Asks for one streamed completion; no answer ends before it is as long as it may be. */
export type Ask = (input: object) => Promise<TimedCompletion>;

/** A server, and the process that all of it is in or below. */
export interface Side {
  readonly ask: Ask;
  readonly pid: number;
}

/** So many answers at once, each with so many tokens of context. */
export interface Room {
  readonly streams: number;
  readonly context: number;
}

function asker(url: string): Ask {
  return (input) => timedCompletion(url, { model: "bench", ignore_eos: true, ...input });
}

/** The path of the starter model's weights as one file. */
export async function joinedWeights(home: string): Promise<string> {
  const covey = await startCovey({ home, preload: true });
  await covey.waitFor(/ is ready \(/);
  await covey.stop();
  const weights = [...new Bun.Glob("**/*.gguf").scanSync({ cwd: home, absolute: true })][0];
  if (weights === undefined) throw new Error(`no weights in ${home}`);
  return weights;
}

/** The weights as a model without stop strings, so that an answer is as long as it is asked to be. */
export async function startOurs(
  home: string,
  weights: string,
  { streams, context }: Room,
): Promise<Side> {
  const folder = join(home, "models");
  mkdirSync(folder, { recursive: true });
  const facts = `id = "bench"\nname = "bench"\ncreated = "2023-12-30"\nowned_by = "bench"\nlicense = "Apache-2.0"`;
  writeFileSync(
    join(folder, "bench.toml"),
    `${facts}\ncontext_length = ${context}\nkv_bytes_per_token = 22528\n[weights]\nfile = ${JSON.stringify(weights)}\n`,
  );
  const covey = await startCovey({ home, engine: `threads = 1\nsequences = ${streams}\n` });
  return { ask: asker(covey.url), pid: covey.pid };
}

/** With its defaults, but for what both have to have in common. */
export async function startTheirs(
  binary: string,
  weights: string,
  { streams, context }: Room,
): Promise<Side> {
  const port = freePort();
  const own = ["--model", weights, "--host", "127.0.0.1", "--port", port, "--offline"];
  const same = ["--threads", 1, "--parallel", streams, "--ctx-size", streams * context];
  const server = start([binary, ...[...own, ...same].map(String)]);
  await server.waitFor(/listening on http/);
  return { ask: asker(`http://127.0.0.1:${port}`), pid: server.pid };
}
