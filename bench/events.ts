import { join } from "node:path";
import { z } from "zod";
import { type Cores, requireTools, takeCores } from "./cores.ts";
import { caughtUp, startCovey } from "./covey.ts";
import { cpuBetween, cpuUse, processTree } from "./cpu.ts";
import { startProxy } from "./nginx.ts";
import { run, type Started, start } from "./processes.ts";
import type { Figure, Result } from "./report.ts";
import { byTurns } from "./rounds.ts";
import { ratios, sample } from "./statistics.ts";

interface Shape {
  readonly name: string;
  readonly streams: number;
  readonly events: number;
  /** Milliseconds between two events of a stream; 0 is as fast as it goes. */
  readonly gapMs: number;
}

const SHAPES: readonly Shape[] = [
  { name: "64 streams, 100 events/s each", streams: 64, events: 400, gapMs: 10 },
  { name: "64 streams, full speed", streams: 64, events: 2000, gapMs: 0 },
];

const Counted = z.object({ events: z.number(), seconds: z.number() });

interface Measured {
  /** CPU microseconds an event. */
  readonly cpu: number;
  readonly mainCpu: number;
  readonly perSecond: number;
  readonly busy: number;
}

/** What passing on one event of a stream costs, beside nginx, which reads none of it. */
export async function events({ rounds }: { rounds: number }): Promise<Result> {
  requireTools("nginx", "taskset");
  const cores = await takeCores();
  const upstream = start([process.execPath, join(import.meta.dir, "event-upstream.ts")], {
    cpu: cores.load,
  });
  const [, origin = ""] = await upstream.waitFor(/listens on (http:\S+)\n/);
  const nginx = await startProxy(cores.measured, origin, false);
  const covey = await startCovey({ cpu: cores.measured, upstream: origin });
  const two = await startCovey({ cpu: cores.measured, upstream: origin, targets: 2 });
  const figures: Figure[] = [];
  const notes: string[] = [];
  const detail: Record<string, unknown> = {};
  for (const shape of SHAPES) {
    for (const server of [nginx, covey, two]) await measured(cores, server, shape);
    const [theirs = [], ours = [], twos = []] = await byTurns(
      rounds,
      [nginx, covey, two].map((server) => () => measured(cores, server, shape)),
      (m) => m.cpu,
    );
    for (const server of [covey, two]) await caughtUp(server);
    figures.push(...compare(shape, ours, theirs), ...withTwo(shape, twos, ours, theirs));
    notes.push(
      `${shape.name}: nginx had ${percent(theirs)} of its processor, covey ${percent(ours)}`,
    );
    detail[shape.name] = { nginx: theirs, covey: ours, two: twos };
  }
  return { benchmark: "events", figures, notes, detail };
}

async function measured(
  cores: Cores,
  server: Started & { url: string },
  { streams, events: count, gapMs }: Shape,
): Promise<Measured> {
  const tree = processTree(server.pid);
  const before = cpuUse(tree);
  const output = await run(
    [
      ...[process.execPath, join(import.meta.dir, "event-client.ts")],
      ...[`${server.url}/v1/chat/completions`, streams, count, gapMs].map(String),
    ],
    { cpu: cores.load, env: { BUN_CONFIG_MAX_HTTP_REQUESTS: "65535" } },
  );
  const used = cpuBetween(before, cpuUse(tree));
  const counted = Counted.parse(JSON.parse(output));
  return {
    cpu: (used.total * 1e6) / counted.events,
    mainCpu: ((used.threads.main ?? 0) * 1e6) / counted.events,
    perSecond: counted.events / counted.seconds,
    busy: used.total / counted.seconds,
  };
}

function compare(
  { name }: Shape,
  ours: readonly Measured[],
  theirs: readonly Measured[],
): Figure[] {
  const figure = (what: string, unit: string, value: (m: Measured) => number): Figure => ({
    name: `${name}, ${what}`,
    unit,
    ours: sample(ours.map(value)),
    peer: { name: "nginx", value: sample(theirs.map(value)) },
    ratio: ratios(ours.map(value), theirs.map(value)),
  });
  return [
    { ...figure("CPU an event", "µs", (m) => m.cpu), target: { of: "ratio", most: 2 } },
    {
      name: `${name}, of that the main thread`,
      unit: "µs",
      ours: sample(ours.map((m) => m.mainCpu)),
    },
    figure("events a second", "/s", (m) => m.perSecond),
  ];
}

/** The same where there are two targets for every call. */
function withTwo(
  { name }: Shape,
  two: readonly Measured[],
  one: readonly Measured[],
  nginx: readonly Measured[],
): Figure[] {
  const cpu = (m: Measured) => m.cpu;
  const figure = (peer: string, theirs: readonly Measured[]): Figure => ({
    name: `${name}, two targets, CPU an event`,
    unit: "µs",
    ours: sample(two.map(cpu)),
    peer: { name: peer, value: sample(theirs.map(cpu)) },
    ratio: ratios(two.map(cpu), theirs.map(cpu)),
  });
  return [
    { ...figure("covey with one", one), target: { of: "ratio", most: 1.05 } },
    figure("nginx", nginx),
  ];
}

function percent(rounds: readonly Measured[]): string {
  return `${Math.round(sample(rounds.map((round) => round.busy)).median * 100)} %`;
}
