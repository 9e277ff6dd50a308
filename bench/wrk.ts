import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { start, temporaryFolder } from "./processes.ts";

const Summary = z.object({
  requests: z.number(),
  micros: z.number(),
  failed: z.number(),
  p50: z.number(),
  p99: z.number(),
});

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU seconds that wrk itself took. */
  readonly wrkCpu: number;
}

/** A script for wrk that posts `body` and tells its summary as JSON. */
export function postScript(body: string): string {
  const file = join(temporaryFolder(), "post.lua");
  writeFileSync(
    file,
    `wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = ${JSON.stringify(body)}
done = function(summary, latency)
  local e = summary.errors
  print(string.format('{"requests":%d,"micros":%d,"failed":%d,"p50":%f,"p99":%f}', summary.requests,
    summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`,
  );
  return file;
}

/** @throws Error when a request failed: the figure would count refusals as work */
export async function load(
  cpu: number,
  script: string,
  url: string,
  options: { connections: number; seconds: number },
): Promise<Load> {
  const wrk = start(
    [
      ...["wrk", "-t", "1", "-c", String(options.connections), "-d", `${options.seconds}s`],
      ...["-s", script, url],
    ],
    { cpu },
  );
  const wrkCpu = await wrk.finished();
  const line = /^\{.*\}$/m.exec(wrk.output())?.[0] ?? "";
  const { requests, micros, failed, p50, p99 } = Summary.parse(JSON.parse(line));
  if (failed > 0 || requests === 0)
    throw new Error(`${failed} of ${requests} requests failed: ${url}`);
  const seconds = micros / 1e6;
  return { requests, seconds, perSecond: requests / seconds, p50, p99, wrkCpu };
}
