import { join } from "node:path";
import { requireTools } from "./cores.ts";
import { serveCommand, startCovey, writeConfig } from "./covey.ts";
import { type Memory, memory, processTree } from "./cpu.ts";
import { freePort, start, temporaryFolder } from "./processes.ts";
import type { Figure, Result } from "./report.ts";
import { sample } from "./statistics.ts";

const STARTS = 10;
const POLL_MS = 2;
/** Long enough for what a start leaves behind to be collected. */
const SETTLE_MS = 3000;
const MEGABYTE = 1e6;

/** From the start of the process to its first answer, and the memory it holds when nothing is asked of it. */
export async function startup(): Promise<Result> {
  requireTools("taskset");
  const fresh: number[] = [];
  const later: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    const home = join(temporaryFolder(), "home");
    fresh.push(await secondsToHealth(home));
    later.push(await secondsToHealth(home));
  }
  const target = { of: "ours", most: 0.5 } as const;
  const idle = await memoryOf(false);
  const loaded = await memoryOf(true);
  const figures: Figure[] = [
    { name: "start to /health, new home", unit: "s", ours: sample(fresh), target },
    { name: "start to /health, used home", unit: "s", ours: sample(later), target },
    ...memoryFigures("idle, no model", idle.whole),
    ...memoryFigures("starter model loaded, gateway", loaded.gateway),
    ...memoryFigures("starter model loaded, gateway and engine", loaded.whole),
  ];
  return {
    benchmark: "startup",
    figures,
    notes: [
      `${STARTS} starts each; the files were in the page cache.`,
      "resident: with mapped files, the weights among them; own: without.",
    ],
    detail: { fresh, later, idle, loaded },
  };
}

async function secondsToHealth(home: string): Promise<number> {
  const port = freePort();
  const command = serveCommand(writeConfig({ preload: false }), home, port);
  const began = performance.now();
  const covey = start(command);
  await healthy(port);
  const seconds = (performance.now() - began) / 1000;
  await covey.stop();
  return seconds;
}

/** Resolves with the first 200 of `/health`. */
async function healthy(port: number): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
    if (response?.status === 200) return;
    await Bun.sleep(POLL_MS);
  }
}

async function memoryOf(preload: boolean): Promise<{ gateway: Memory; whole: Memory }> {
  const covey = await startCovey({ preload });
  if (preload) await covey.waitFor(/ is ready \(/);
  await Bun.sleep(SETTLE_MS);
  const result = { gateway: memory([covey.pid]), whole: memory(processTree(covey.pid)) };
  await covey.stop();
  return result;
}

function memoryFigures(name: string, { resident, anonymous }: Memory): Figure[] {
  return [
    { name: `${name}, resident`, unit: "MB", ours: sample([resident / MEGABYTE]) },
    { name: `${name}, own`, unit: "MB", ours: sample([anonymous / MEGABYTE]) },
  ];
}
