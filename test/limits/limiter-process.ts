/**
 * One gateway's limiter as a process of its own. Its options are its argument, in JSON. It writes `ready`
 * once it shares its limits, and then asks without a pause until its input ends. Of each request that is
 * admitted it writes a line: when it was asked and when it was admitted, in Unix milliseconds.
 */
import { z } from "zod";
import { GatewayError } from "../../src/contract/errors.ts";
import { UNLIMITED } from "../../src/gateway/limits/limits.ts";
import { SharedLimiter } from "../../src/gateway/limits/shared/shared-limiter.ts";

const Options = z.object({
  url: z.string(),
  prefix: z.string(),
  gateway: z.string(),
  gateways: z.number(),
  windowMs: z.number(),
  ttlMs: z.number(),
  quietMs: z.number(),
  shareForMs: z.number(),
  timeoutMs: z.number(),
  requestsPerMinute: z.number().default(0),
  tokensPerMinute: z.number().default(0),
  concurrency: z.number().default(0),
  /** How many requests are asked for side by side, one after the other. */
  askers: z.number().default(1),
  /** Most milliseconds that a request runs, and between two of one asker. */
  runMs: z.number().default(20),
  pauseMs: z.number().default(2),
});

const options = Options.parse(JSON.parse(process.argv[2] ?? "{}"));
const { requestsPerMinute, tokensPerMinute, concurrency, askers, runMs, pauseMs } = options;
const limiter = new SharedLimiter({ ...options, spent: () => Promise.resolve(0) });
const limits = { ...UNLIMITED, requestsPerMinute, tokensPerMinute, concurrency };
const claim = { keyId: "k", limits, tokens: 10, units: 1, image: false, costNanoUsd: null };

let stopped = false;
const now = (): number => performance.timeOrigin + performance.now();

async function ask(): Promise<void> {
  while (!stopped) {
    const asked = now();
    try {
      const lease = await limiter.admit(claim);
      const admitted = now();
      let lost = false;
      lease.onLost(() => {
        lost = true;
      });
      const until = admitted + Math.random() * runMs;
      while (now() < until && !lost) await Bun.sleep(5);
      process.stdout.write(`${asked} ${admitted} ${now()} ${limiter.state().mode}\n`);
      lease.release({ tokens: 10, costNanoUsd: 0 });
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    await Bun.sleep(Math.random() * pauseMs);
  }
}

while (limiter.state().mode !== "shared") await Bun.sleep(5);
process.stdout.write("ready\n");
const asking = Array.from({ length: askers }, ask);
for await (const _ of process.stdin);
stopped = true;
await Promise.all(asking);
await limiter.close();
