import { join } from "node:path";
import { openDatabase } from "../src/store/projection/database.ts";
import { ANSWER, SMALL_CHAT } from "./bodies.ts";
import { requireTools, takeCores } from "./cores.ts";
import { type Covey, startCovey } from "./covey.ts";
import { fillCalls } from "./fill-calls.ts";
import { startFixedAnswer } from "./nginx.ts";
import { temporaryFolder } from "./processes.ts";
import type { Figure, Result } from "./report.ts";
import { type Measured, measured } from "./requests.ts";
import { byTurns } from "./rounds.ts";
import { ratios, sample } from "./statistics.ts";
import { postScript } from "./wrk.ts";

const SECONDS = 4;
/** What is measured is a full log, not one that is being emptied. */
export const KEEP_ALL = "[log]\nkeep_calls = 0\nmax_bytes = 0\nkeep_minutes = 0\nkeep_hours = 0\n";

/**
 * The request path with a full log beside one with an empty log. COVEY_BENCH_CALLS says how full (a million); a home
 * that `bench/fill-calls.ts` has filled, in COVEY_BENCH_HOME, is used as it is, and added to.
 */
export async function log({ rounds }: { rounds: number }): Promise<Result> {
  requireTools("nginx", "wrk", "taskset");
  const calls = Number(process.env.COVEY_BENCH_CALLS ?? "1000000");
  const home = process.env.COVEY_BENCH_HOME ?? (await filledHome(calls));
  const cores = await takeCores();
  const upstream = await startFixedAnswer(cores.load, ANSWER);
  const options = { cpu: cores.measured, upstream: upstream.url, config: KEEP_ALL };
  const full = await startCovey({ ...options, home });
  const empty = await startCovey(options);
  const script = postScript(SMALL_CHAT);
  const measure = (covey: Covey, seconds = SECONDS) =>
    measured(cores, covey, upstream, script, seconds, covey);
  for (const covey of [full, empty]) await measure(covey);
  const [ours = [], theirs = []] = await byTurns(
    rounds,
    [full, empty].map((covey) => () => measure(covey)),
    (m) => m.cpu,
  );
  const figure = (name: string, unit: string, value: (m: Measured) => number): Figure => ({
    name: `full log, ${name}`,
    unit,
    ours: sample(ours.map(value)),
    peer: { name: "empty log", value: sample(theirs.map(value)) },
    ratio: ratios(ours.map(value), theirs.map(value)),
  });
  return {
    benchmark: "log",
    figures: [
      {
        ...figure("requests a second", "/s", (m) => m.perSecond),
        target: { of: "ratio", least: 0.95 },
      },
      figure("CPU a request, main thread", "µs", (m) => m.mainCpu),
      figure("CPU a request", "µs", (m) => m.cpu),
      figure("99th percentile", "ms", (m) => m.p99),
    ],
    notes: [],
    detail: { full: ours, empty: theirs },
  };
}

export async function filledHome(calls: number): Promise<string> {
  const home = temporaryFolder();
  const file = join(home, "covey.db");
  console.error(`log: making ${calls} calls`);
  const database = await openDatabase(file);
  await fillCalls(database, { calls, days: 30, until: Date.now(), seed: 1 });
  await database.close();
  return home;
}
