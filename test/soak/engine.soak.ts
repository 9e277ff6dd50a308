/**
 * `npm run soak:engine`: 2,000 requests of all kinds (COVEY_SOAK_REQUESTS) to the real model behind a whole
 * gateway, many of them cancelled at a random moment. After that neither process has grown, and every
 * sequence is free. COVEY_SOAK_SEED repeats a run's choices.
 */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memory, processTree } from "../../bench/cpu.ts";
import { type CoveyProcess, spawnCovey } from "../covey.ts";
import { post } from "../e2e/wire.ts";
import { weights } from "../engines/local-backend.ts";
import { Seeded } from "../seeded.ts";
import { tempFolder } from "../store/calls-fixture.ts";
import { type Asked, nextAsk } from "./asks.ts";

const REQUESTS = Number(process.env.COVEY_SOAK_REQUESTS ?? "2000");
const SEED = Number(process.env.COVEY_SOAK_SEED ?? String(Date.now() % 1_000_000));
const SEQUENCES = 4;
/** More than there are sequences, so that some wait. */
const CLIENTS = 7;
const CANCELLED = 0.35;
const LATEST_CANCEL_MS = 4_000;
/** One request's share of the time limit, on a machine that does other things too. */
const PATIENCE_MS = 10_000;
/** What a plateau's median may be off by: a garbage collector takes and gives back tens of megabytes. */
const WAVERING = { share: 0.1, bytes: 24 * 2 ** 20 } as const;

/** Bytes that the processes have taken for themselves; mapped weights are not among them. */
interface Taken {
  readonly gateway: number;
  readonly child: number;
}

interface Tally {
  readonly whole: Map<string, number>;
  readonly cancelled: Map<string, number>;
  readonly taken: Taken[];
}

test(
  `${REQUESTS} requests (seed ${SEED})`,
  async () => {
    using folder = tempFolder();
    const covey = await startSoaked(folder.path);
    const random = new Seeded(SEED);
    const tally: Tally = { whole: new Map(), cancelled: new Map(), taken: [] };
    let left = REQUESTS;
    const client = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await askOne(covey.url, random, tally);
        tally.taken.push(takenBy(covey.pid));
        if (tally.taken.length % 100 === 0) report(tally);
      }
    };
    try {
      await Promise.all(Array.from({ length: CLIENTS }, client));
      report(tally);
      await expectAllFree(covey.url);
      expectPlateau(tally.taken.map(({ gateway }) => gateway));
      expectPlateau(tally.taken.map(({ child }) => child));
      expect(childrenOf(covey.pid)).toHaveLength(1);
    } finally {
      await covey.end();
    }
  },
  REQUESTS * PATIENCE_MS,
);

async function startSoaked(folder: string): Promise<CoveyProcess> {
  const home = join(folder, "home");
  const models = join(home, "models");
  const config = join(folder, "covey.toml");
  mkdirSync(models, { recursive: true });
  const facts = `id = "soak"\nname = "soak"\ncreated = "2023-12-30"\nowned_by = "soak"\nlicense = "Apache-2.0"`;
  writeFileSync(
    join(models, "soak.toml"),
    `${facts}\ncontext_length = 2048\nkv_bytes_per_token = 22528\n[weights]\nfile = ${JSON.stringify(await weights())}\n`,
  );
  writeFileSync(
    config,
    `[engine]\npreload = false\nthreads = 1\nsequences = ${SEQUENCES}\n[metrics]\npublic = true\n` +
      "[limits.anonymous]\nrequests_per_minute = 0\nconcurrency = 0\n",
  );
  const covey = await spawnCovey(["--home", home, "--config", config]);
  await askWhole(covey.url, nextAsk(new Seeded(SEED)));
  return covey;
}

async function askOne(url: string, random: Seeded, tally: Tally): Promise<void> {
  const asked = nextAsk(random);
  if (!random.chance(CANCELLED)) {
    await askWhole(url, asked);
    count(tally.whole, asked.kind);
    return;
  }
  const signal = AbortSignal.timeout(random.below(LATEST_CANCEL_MS));
  try {
    await askWhole(url, asked, signal);
    count(tally.whole, asked.kind);
  } catch (error) {
    if (!signal.aborted) throw error;
    count(tally.cancelled, asked.kind);
  }
}

/** Reads the answer to its end, which has to be the end of a whole one. */
async function askWhole(url: string, asked: Asked, signal?: AbortSignal): Promise<void> {
  const init = signal === undefined ? {} : { signal };
  const answer = await post(`${url}${asked.path}`, { model: "soak", ...asked.body }, init);
  const text = await answer.text();
  expect([asked.kind, answer.status, text]).toEqual([asked.kind, 200, text]);
  const streamed = text.startsWith("data:") || text.startsWith(":");
  if (streamed) expect([asked.kind, text]).toEqual([asked.kind, expect.stringMatching(WHOLE)]);
  expect([asked.kind, text]).not.toEqual([asked.kind, expect.stringContaining('"error":{')]);
}

const WHOLE = /data: \[DONE\]\n\n$/;

/** As many as there are sequences are answered side by side, and after that nothing runs or waits. */
async function expectAllFree(url: string): Promise<void> {
  const counting = { messages: [{ role: "user", content: "Count to ten." }], max_tokens: 8 };
  const last: Asked = { kind: "last", path: "/v1/chat/completions", body: counting };
  const side = Array.from({ length: SEQUENCES }, () => askWhole(url, last));
  await Promise.all(side);
  const gauges = await (await fetch(`${url}/metrics`)).text();
  for (const name of ["covey_engine_running", "covey_engine_waiting", "covey_running_calls"]) {
    const values = [...gauges.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"))];
    expect([name, ...values.map(([, value]) => Number(value))]).toEqual([name, 0]);
  }
}

function takenBy(pid: number): Taken {
  const child = memory(childrenOf(pid)).anonymous;
  return { gateway: memory([pid]).anonymous, child };
}

function childrenOf(pid: number): number[] {
  return processTree(pid).filter((own) => own !== pid);
}

/** The median of the last quarter is that of the second: the first is for what is only taken once. */
function expectPlateau(bytes: readonly number[]): void {
  const [second, last] = [quarter(bytes, 1), quarter(bytes, 3)];
  expect(last).toBeLessThan(second * (1 + WAVERING.share) + WAVERING.bytes);
}

function quarter(values: readonly number[], which: number): number {
  const size = Math.floor(values.length / 4);
  const sorted = values.slice(which * size, (which + 1) * size).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function report({ whole, cancelled, taken }: Tally): void {
  const quarters = (of: (each: Taken) => number) =>
    [0, 1, 2, 3].map((which) => (quarter(taken.map(of), which) / 2 ** 20).toFixed(0)).join(" ");
  console.log(
    `${taken.length} requests, ${sum(cancelled)} of them cancelled; median MB by quarter: ` +
      `gateway ${quarters(({ gateway }) => gateway)}, child ${quarters(({ child }) => child)}`,
  );
  if (taken.length < REQUESTS) return;
  for (const [kind, n] of [...whole].sort())
    console.log(`  ${kind}: ${n} whole, ${cancelled.get(kind) ?? 0} cancelled`);
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((all, each) => all + each, 0);
}

function count(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
