import { parseArgs } from "node:util";
import { analytics } from "./analytics.ts";
import { embeddings } from "./embeddings.ts";
import { engine } from "./engine.ts";
import { events } from "./events.ts";
import { llamaCpp } from "./llama-server.ts";
import { log } from "./log.ts";
import { ocr } from "./ocr.ts";
import { stopAll } from "./processes.ts";
import { printResult, type Result, writeJson } from "./report.ts";
import { requests } from "./requests.ts";
import { startup } from "./startup.ts";
import { upscale } from "./upscale.ts";

/**
 * `npm run bench [-- name…] [--rounds N] [--json FILE]`: what Covey costs, beside its peers in the
 * same run. docs/benchmarks.md says what each figure means.
 */

const BENCHMARKS: Readonly<Record<string, (options: { rounds: number }) => Promise<Result>>> = {
  requests,
  events,
  startup,
  engine,
  embeddings,
  ocr,
  "llama-server": llamaCpp,
  log,
  analytics,
  upscale,
};

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    json: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

async function main(): Promise<number> {
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
  const unknown = names.filter((name) => !(name in BENCHMARKS));
  const rounds = Number(values.rounds);
  if (values.help || unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    if (unknown.length > 0) console.error(`bench: no benchmark is called ${unknown.join(", ")}`);
    console.log("Usage: npm run bench -- [name…] [--rounds N] [--json FILE]");
    console.log(`Benchmarks: ${Object.keys(BENCHMARKS).join(", ")}`);
    return values.help ? 0 : 2;
  }
  const results: Result[] = [];
  let failed = false;
  for (const name of names) {
    try {
      const result = await BENCHMARKS[name]?.({ rounds });
      if (result === undefined) continue;
      printResult(result);
      results.push(result);
    } catch (error) {
      failed = true;
      console.error(`\nbench: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await stopAll();
    }
  }
  if (values.json !== undefined) await writeJson(values.json, results);
  return failed ? 1 : 0;
}

process.exit(await main());
