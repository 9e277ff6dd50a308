import type { Sdk } from "./prepare.ts";

/** What a client program is asked to do. */
export interface Job {
  readonly do:
    | "chat"
    | "stream"
    | "tools"
    | "toolStream"
    | "schema"
    | "vision"
    | "completions"
    | "completionStream"
    | "embeddings"
    | "models"
    | "leave"
    | "generation"
    | "lists"
    | "account";
  readonly url: string;
  /** The path of OpenRouter's dialect, where it is not the usual one. */
  readonly base?: string;
  readonly key: string;
  readonly model: string;
  readonly text?: string;
  readonly prompt?: string | readonly string[];
  /** How often the SDK may try again; 0 unless told. */
  readonly retries?: number;
  /** The most tokens of a chat. */
  readonly limit?: number;
  /** More fields of the request. */
  readonly more?: object;
}

/** What came of it: the answer as the SDK gives it, or the exception it raised. */
export interface Result {
  readonly ok?: unknown;
  readonly error?: Readonly<Record<string, unknown>>;
  readonly seconds: number;
}

/** Runs the SDK's client program once for all these jobs, one after the other. */
export async function runJobs(sdk: Sdk, jobs: readonly Job[]): Promise<Result[]> {
  const child = Bun.spawn([...sdk.command], {
    stdin: new Blob([JSON.stringify(jobs)]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${sdk.name} ended with ${code}: ${err}`);
  const results: Result[] = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  if (results.length !== jobs.length) throw new Error(`${sdk.name} answered ${out}\n${err}`);
  return results;
}
