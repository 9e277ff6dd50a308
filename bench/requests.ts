import { join } from "node:path";
import { ANSWER, LONG_CHAT, SMALL_CHAT } from "./bodies.ts";
import { type Cores, requireTools, takeCores } from "./cores.ts";
import { type Covey, caughtUp, startCovey } from "./covey.ts";
import { cpuBetween, cpuUse, processTree } from "./cpu.ts";
import { startFixedAnswer, startProxy } from "./nginx.ts";
import { type Started, start } from "./processes.ts";
import type { Figure, Result } from "./report.ts";
import { byTurns } from "./rounds.ts";
import { ratios, sample } from "./statistics.ts";
import { type Load, load, postScript } from "./wrk.ts";

const CONNECTIONS = 64;
const SECONDS = 4;
const WARM_UP_SECONDS = 4;
/** A processor that is taken less had something else to do, or nothing. */
const SATURATED = 0.85;

export interface Measured extends Load {
  /** CPU while the load ran, as shares of one processor. */
  readonly busy: number;
  readonly loadBusy: number;
  /** CPU microseconds a request, until everything it caused was done. */
  readonly cpu: number;
  readonly mainCpu: number;
  readonly threads: Readonly<Record<string, number>>;
}

/** Requests a second through the whole pipeline, beside nginx as a plain reverse proxy on the same processor. */
export async function requests({ rounds }: { rounds: number }): Promise<Result> {
  requireTools("nginx", "wrk", "taskset");
  const cores = await takeCores();
  const upstream = await startFixedAnswer(cores.load, ANSWER);
  const nginx = await startProxy(cores.measured, upstream.url, true);
  const covey = await startCovey({ cpu: cores.measured, upstream: upstream.url });
  const two = await startCovey({ cpu: cores.measured, upstream: upstream.url, targets: 2 });
  const bare = await startBareProxy(cores.measured, upstream.url);
  const measure = (server: Started & { url: string }, script: string, seconds: number) =>
    measured(
      cores,
      server,
      upstream,
      script,
      seconds,
      [covey, two].find((c) => c === server) ?? null,
    );
  const figures: Figure[] = [];
  const notes: string[] = [];
  const detail: Record<string, unknown> = {};
  for (const [name, body] of [
    ["small", SMALL_CHAT],
    ["long", LONG_CHAT],
  ] as const) {
    const script = postScript(body);
    await measure(nginx, script, 1);
    for (const server of [covey, two, bare]) await measure(server, script, WARM_UP_SECONDS);
    const [theirs = [], ours = [], twos = [], bares = []] = await byTurns(
      rounds,
      [nginx, covey, two, bare].map((server) => () => measure(server, script, SECONDS)),
      (m) => m.cpu,
    );
    const size = `${name} chat (${body.length} bytes)`;
    figures.push(...compare(size, ours, theirs), besideBare(size, ours, bares));
    figures.push(...withTwo(size, twos, ours, theirs));
    notes.push(`${size}: ${saturation("nginx", theirs)}; ${saturation("covey", ours)}`);
    notes.push(`${size}: covey's CPU a request by thread: ${byThread(ours)}`);
    detail[name] = { nginx: theirs, covey: ours, two: twos, bun: bares };
  }
  return { benchmark: "requests", figures, notes, detail };
}

async function startBareProxy(cpu: number, origin: string): Promise<Started & { url: string }> {
  const bare = start([process.execPath, join(import.meta.dir, "bare-proxy.ts"), origin], { cpu });
  const [, url = ""] = await bare.waitFor(/listens on (http:\S+)\n/);
  return { ...bare, url };
}

/** Load on one server for some seconds, and what it cost until all it caused was done. */
export async function measured(
  cores: Cores,
  server: Started & { url: string },
  upstream: Started,
  script: string,
  seconds: number,
  covey: Covey | null,
): Promise<Measured> {
  const own = processTree(server.pid);
  const answering = processTree(upstream.pid);
  const before = cpuUse(own);
  const answeringBefore = cpuUse(answering);
  const result = await load(cores.load, script, `${server.url}/v1/chat/completions`, {
    connections: CONNECTIONS,
    seconds,
  });
  const during = cpuBetween(before, cpuUse(own)).total;
  const answeringUse = cpuBetween(answeringBefore, cpuUse(answering)).total;
  if (covey !== null) await caughtUp(covey);
  const all = cpuBetween(before, cpuUse(own));
  const perRequest = (cpuSeconds: number): number => (cpuSeconds * 1e6) / result.requests;
  return {
    ...result,
    busy: during / result.seconds,
    loadBusy: (answeringUse + result.wrkCpu) / result.seconds,
    cpu: perRequest(all.total),
    mainCpu: covey === null ? perRequest(all.total) : perRequest(all.threads.main ?? 0),
    threads: Object.fromEntries(
      Object.entries(all.threads).map(([name, used]) => [name, perRequest(used)]),
    ),
  };
}

function compare(size: string, ours: readonly Measured[], theirs: readonly Measured[]): Figure[] {
  const figure = (name: string, unit: string, value: (m: Measured) => number): Figure => ({
    name: `${size}, ${name}`,
    unit,
    ours: sample(ours.map(value)),
    peer: { name: "nginx", value: sample(theirs.map(value)) },
    ratio: ratios(ours.map(value), theirs.map(value)),
  });
  return [
    {
      ...figure("requests a second", "/s", (m) => m.perSecond),
      target: { of: "ratio", least: 0.5 },
    },
    // What the rate would be with the processor to itself: other work on the machine falls out.
    {
      ...figure("requests a CPU second", "/s", (m) => 1e6 / m.cpu),
      target: { of: "ratio", least: 0.5 },
    },
    figure("CPU a request", "µs", (m) => m.cpu),
    // nginx has one thread. Where there are more processors, only this one limits a gateway's rate.
    figure("CPU a request, main thread", "µs", (m) => m.mainCpu),
    figure("median latency", "ms", (m) => m.p50),
    figure("99th percentile", "ms", (m) => m.p99),
  ];
}

/** How much of the cost is ours: nobody on this runtime is cheaper than that. */
function besideBare(size: string, ours: readonly Measured[], bares: readonly Measured[]): Figure {
  const [own, bare] = [ours, bares].map((rounds) => rounds.map((m) => m.cpu));
  return {
    name: `${size}, CPU a request`,
    unit: "µs",
    ours: sample(own ?? []),
    peer: { name: "bare Bun proxy", value: sample(bare ?? []) },
    ratio: ratios(own ?? [], bare ?? []),
  };
}

/** What choosing between two targets and keeping their health costs. */
function withTwo(
  size: string,
  two: readonly Measured[],
  one: readonly Measured[],
  nginx: readonly Measured[],
): Figure[] {
  const rate = (m: Measured) => 1e6 / m.cpu;
  const figure = (peer: string, theirs: readonly Measured[]): Figure => ({
    name: `${size}, two targets, requests a CPU second`,
    unit: "/s",
    ours: sample(two.map(rate)),
    peer: { name: peer, value: sample(theirs.map(rate)) },
    ratio: ratios(two.map(rate), theirs.map(rate)),
  });
  return [
    { ...figure("covey with one", one), target: { of: "ratio", least: 0.95 } },
    figure("nginx", nginx),
  ];
}

/** Which side could not do more: a rate says little about a server that was waiting for its load. */
function saturation(name: string, rounds: readonly Measured[]): string {
  const busy = sample(rounds.map((round) => round.busy)).median;
  const loadBusy = sample(rounds.map((round) => round.loadBusy)).median;
  const taken = Math.max(busy, loadBusy);
  const limit =
    taken < SATURATED ? "other work on the machine" : busy >= loadBusy ? name : "the load";
  return `with ${name} its processor was ${percent(busy)} taken and the load's ${percent(loadBusy)}: ${limit} was the limit`;
}

function byThread(rounds: readonly Measured[]): string {
  const names = new Set(rounds.flatMap((round) => Object.keys(round.threads)));
  return [...names]
    .map((name) => ({ name, cpu: sample(rounds.map(({ threads }) => threads[name] ?? 0)).median }))
    .filter(({ cpu }) => cpu >= 0.1)
    .sort((a, b) => b.cpu - a.cpu)
    .map(({ name, cpu }) => `${name} ${cpu.toFixed(1)} µs`)
    .join(", ");
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
