import { z } from "zod";
import { type Covey, startCovey } from "./covey.ts";
import { cpuBetween, cpuUse, processTree } from "./cpu.ts";
import { filledHome, KEEP_ALL } from "./log.ts";
import { temporaryFolder } from "./processes.ts";
import { type Question, questions } from "./questions.ts";
import type { Figure, Result } from "./report.ts";
import { type Sample, sample } from "./statistics.ts";

const KEY = "admin-key-of-the-benchmark";
const MOST_MS = 150;
const SHOWN = 8;

interface Answer extends Question {
  readonly took: Sample;
  /** Milliseconds of all processors that Covey took for it: what the machine did besides is not in it. */
  readonly cpu: number;
}

/**
 * Every question that the analytics API can be asked, by HTTP, over a full log: see `bench/questions.ts`.
 * COVEY_BENCH_CALLS and COVEY_BENCH_HOME as for `log`; COVEY_BENCH_DATABASE is a filled PostgreSQL.
 */
export async function analytics({ rounds }: { rounds: number }): Promise<Result> {
  const covey = await startCovey({ ...(await filled()), config: KEEP_ALL });
  const newest = Newest.parse(await ask(covey, "/admin/v1/calls?limit=1")).data[0];
  if (newest === undefined) throw new Error("there are no calls in it");
  const answers: Answer[] = [];
  for (const question of questions(Date.parse(newest.started_at), newest.id)) {
    const took: number[] = [];
    // The first time reads what the page cache may not have.
    await ask(covey, question.path);
    const before = cpuUse(processTree(covey.pid));
    for (let round = 0; round < rounds; round++) {
      const began = performance.now();
      await ask(covey, question.path);
      took.push(performance.now() - began);
    }
    const { threads } = cpuBetween(before, cpuUse(processTree(covey.pid)));
    const seconds = Object.values(threads).reduce((sum, each) => sum + each, 0);
    answers.push({ ...question, took: sample(took), cpu: (seconds * 1000) / rounds });
  }
  answers.sort((a, b) => b.took.median - a.took.median);
  const slow = answers.filter(({ took }) => took.median > MOST_MS);
  return {
    benchmark: "analytics",
    figures: [...Map.groupBy(answers, ({ kind }) => kind)].map(slowest),
    notes: [
      `${answers.length} questions, ${slow.length} of them over ${MOST_MS} ms; the slowest:`,
      ...answers
        .slice(0, SHOWN)
        .map(({ took, cpu, path }) => `${shown(took.median)}, ${shown(cpu)} of CPU: ${path}`),
    ],
    detail: answers,
  };
}

const Newest = z.object({ data: z.array(z.object({ id: z.string(), started_at: z.string() })) });

async function filled() {
  const env = { COVEY_ADMIN_KEY: KEY };
  const database = process.env.COVEY_BENCH_DATABASE;
  if (database !== undefined) {
    const secret = "a secret of thirty-two characters or more";
    return {
      home: temporaryFolder(),
      env: { ...env, DATABASE_URL: database, COVEY_SECRET: secret },
    };
  }
  const calls = Number(process.env.COVEY_BENCH_CALLS ?? "1000000");
  return { home: process.env.COVEY_BENCH_HOME ?? (await filledHome(calls)), env };
}

async function ask(covey: Covey, path: string): Promise<unknown> {
  const response = await fetch(covey.url + path, { headers: { authorization: `Bearer ${KEY}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}

function shown(ms: number): string {
  return `${ms.toFixed(0)} ms`;
}

/** The slowest question of a kind, beside the one in the middle. */
function slowest([kind, answers]: readonly [string, readonly Answer[]]): Figure {
  const all = sample(answers.map(({ took }) => took.median));
  const most = answers.find(({ took }) => took.median === all.max);
  return {
    name: `${kind}: the slowest of ${answers.length}`,
    unit: "ms",
    ours: most?.took ?? all,
    peer: { name: "all", value: all },
    target: { of: "ours", most: MOST_MS },
  };
}
