/**
 * One gateway's limiter as a process of its own. Its options are its argument, in JSON. Each line it
 * reads is how many requests to make at once; each line it writes is the time of one that was admitted
 * (Unix milliseconds), and `ready` before all others. Requests run for a moment, and are given back.
 */
import { z } from "zod";
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
  /** Longest that a request runs. */
  runMs: z.number().default(20),
});

const options = Options.parse(JSON.parse(process.argv[2] ?? "{}"));
const limiter = new SharedLimiter({ ...options, spent: () => Promise.resolve(0) });
const { requestsPerMinute, tokensPerMinute, concurrency, runMs } = options;
const claim = {
  keyId: "k",
  limits: { ...UNLIMITED, requestsPerMinute, tokensPerMinute, concurrency },
  tokens: 10,
  units: 1,
  image: false,
  costNanoUsd: null,
};

const now = (): number => performance.timeOrigin + performance.now();

async function one(): Promise<void> {
  try {
    const lease = await limiter.admit(claim);
    process.stdout.write(`${now()}\n`);
    await Bun.sleep(Math.random() * runMs);
    lease.release({ tokens: 10, costNanoUsd: 0 });
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "GatewayError") throw error;
  }
}

while (limiter.state().mode !== "shared") await Bun.sleep(5);
process.stdout.write("ready\n");
for await (const line of console) await Promise.all(Array.from({ length: Number(line) }, one));
await limiter.close();
