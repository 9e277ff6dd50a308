import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ROOT, type Started, start, temporaryFolder } from "./processes.ts";

export interface Covey extends Started {
  readonly url: string;
  readonly home: string;
}

export interface CoveyOptions {
  readonly cpu?: number;
  /** An origin that answers for the model `bench`. */
  readonly upstream?: string;
  /** How many providers answer for it, all at that origin; one without it. The fastest is asked first. */
  readonly targets?: number;
  readonly home?: string;
  readonly port?: number;
  readonly preload?: boolean;
  /** More lines of the config's `[engine]`. */
  readonly engine?: string;
  /** More tables of the config. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How long the call log's database may take to follow. */
const CATCH_UP_MS = 120_000;

/** The command of `npm start`, without npm. */
export function serveCommand(config: string, home: string, port: number): string[] {
  return [
    process.execPath,
    `--env-file=${join(ROOT, "bin", "runtime.env")}`,
    join(ROOT, "src", "main.ts"),
    ...["serve", "--config", config, "--home", home, "--port", String(port)],
  ];
}

/** A config without limits, so that what is measured is the work. Everything else is as it is by default. */
export function writeConfig(options: CoveyOptions): string {
  const file = join(temporaryFolder(), "covey.toml");
  const { upstream, targets = 1 } = options;
  const ids = upstream === undefined ? [] : Array.from({ length: targets }, (_, i) => `bench${i}`);
  const providers = ids.map(
    (id) => `[providers.${id}]\nbase_url = "${upstream}/v1"\nmodels = [{ id = "bench" }]\n`,
  );
  writeFileSync(
    file,
    `[limits.anonymous]
requests_per_minute = 0
concurrency = 0
[engine]
preload = ${options.preload ?? false}
${options.engine ?? ""}[routing]
strategy = "${targets > 1 ? "least-latency" : "priority"}"
${providers.join("")}${options.config ?? ""}`,
  );
  return file;
}

/** The real thing: `covey serve` with journal, database and all. */
export async function startCovey(options: CoveyOptions): Promise<Covey> {
  const home = options.home ?? join(temporaryFolder(), "home");
  const command = serveCommand(writeConfig(options), home, options.port ?? 0);
  const { cpu, env = {} } = options;
  const covey = start(command, cpu === undefined ? { env } : { cpu, env });
  const [, url = ""] = await covey.waitFor(/listens on (http:\S+)\n/);
  return { ...covey, url, home };
}

const Ready = z.object({ store: z.object({ ok: z.boolean(), lag_bytes: z.number() }) });

/** Resolves once every call so far is in the database. Returns the milliseconds it took. */
export async function caughtUp(covey: Covey): Promise<number> {
  const began = performance.now();
  for (;;) {
    const response = await fetch(`${covey.url}/health/ready`);
    const { store } = Ready.parse(await response.json());
    if (store.lag_bytes === 0) return performance.now() - began;
    if (performance.now() - began > CATCH_UP_MS) throw new Error("the call log does not catch up");
    await Bun.sleep(20);
  }
}
