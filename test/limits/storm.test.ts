import { afterAll, expect, test } from "bun:test";
import { isHere } from "../needs.ts";
import { settleIn, type TestRedis, testRedis } from "./redis-server.ts";
import { mostAtOnce, mostInAnyWindow, type StormGateway, stormGateway } from "./storm.ts";

const here = isHere("redis-server");
const redis: TestRedis | null = here ? await testRedis() : null;
const url = redis?.url ?? "";

/** A minute in two seconds, for four gateways. */
const QUICK = { windowMs: 2000, ttlMs: 1500, quietMs: 450, shareForMs: 60_000, timeoutMs: 200 };
const GATEWAYS = 4;

afterAll(async () => {
  await redis?.close();
});

async function four(prefix: string, more: object): Promise<StormGateway[]> {
  await settleIn(url, prefix);
  const names = Array.from({ length: GATEWAYS }, (_, n) => `gateway-${n}`);
  const options = { ...QUICK, url, prefix, gateways: GATEWAYS, ...more };
  return await Promise.all(names.map((gateway) => stormGateway({ ...options, gateway })));
}

const withRedis = test.skipIf(!here);

withRedis(
  "four gateways in a storm on one key never admit more than its limit in any window",
  async () => {
    const limit = 200;
    const all = await four("storm:", { requestsPerMinute: limit, askers: 60, runMs: 0 });
    await Bun.sleep(QUICK.windowMs * 2.5);
    await Promise.all(all.map((each) => each.end()));
    const admitted = all.flatMap((each) => each.admitted);
    expect(mostInAnyWindow(admitted, QUICK.windowMs)).toBeLessThanOrEqual(limit);
    // And what it may have, it gets: three windows were begun.
    expect(admitted.length).toBeGreaterThanOrEqual(limit * 2.5);
  },
  30_000,
);

withRedis(
  "nor with Redis killed in the middle and started again empty",
  async () => {
    const [limit, concurrency] = [80, 8];
    const all = await four("killed:", {
      requestsPerMinute: limit,
      tokensPerMinute: limit * 10,
      concurrency,
      askers: 8,
      runMs: 40,
    });
    await Bun.sleep(700);
    await redis?.kill();
    // A window, and twice the time after which a gateway counts as cut off; then some windows of shares.
    await Bun.sleep(QUICK.windowMs + 2 * QUICK.quietMs + 2500);
    await redis?.start();
    await Bun.sleep(QUICK.windowMs * 2.5);
    await Promise.all(all.map((each) => each.end()));
    const admitted = all.flatMap((each) => each.admitted);
    expect(mostInAnyWindow(admitted, QUICK.windowMs)).toBeLessThanOrEqual(limit);
    expect(mostAtOnce(admitted)).toBeLessThanOrEqual(concurrency);
    const modes = admitted.map(({ mode }) => mode);
    expect(modes.filter((mode) => mode === "share").length).toBeGreaterThan(limit / 2);
    const last = Math.max(...admitted.map((each) => each.admitted));
    const after = admitted.filter((each) => each.admitted > last - QUICK.windowMs);
    expect(after.some(({ mode }) => mode === "shared")).toBe(true);
  },
  60_000,
);

withRedis(
  "nor with Redis started again at once, empty",
  async () => {
    const limit = 100;
    const all = await four("again:", { requestsPerMinute: limit, askers: 10, runMs: 0 });
    await Bun.sleep(300);
    for (let n = 0; n < 2; n++) {
      await redis?.kill();
      await redis?.start();
      await Bun.sleep(QUICK.windowMs * 1.4);
    }
    await Promise.all(all.map((each) => each.end()));
    const admitted = all.flatMap((each) => each.admitted);
    expect(mostInAnyWindow(admitted, QUICK.windowMs)).toBeLessThanOrEqual(limit);
    expect(admitted.length).toBeGreaterThan(limit * 2);
  },
  30_000,
);

withRedis(
  "nor with one gateway killed while it holds leases, which come free",
  async () => {
    const [limit, concurrency] = [100, 6];
    const all = await four("dead:", {
      requestsPerMinute: limit,
      concurrency,
      askers: 6,
      runMs: 400,
    });
    await Bun.sleep(800);
    const [dead, ...others] = all;
    await dead?.kill();
    const killedAt = performance.timeOrigin + performance.now();
    await Bun.sleep(QUICK.ttlMs + QUICK.windowMs * 1.5);
    await Promise.all(others.map((each) => each.end()));
    const admitted = all.flatMap((each) => each.admitted);
    expect(mostInAnyWindow(admitted, QUICK.windowMs)).toBeLessThanOrEqual(limit);
    expect(mostAtOnce(admitted)).toBeLessThanOrEqual(concurrency);
    // A share of one in four is kept for the dead one; the others have all the rest again.
    const late = admitted.filter((each) => each.admitted > killedAt + QUICK.ttlMs + 300);
    expect(mostAtOnce(late)).toBeGreaterThanOrEqual(4);
  },
  30_000,
);

withRedis(
  "nor with Redis frozen for a moment, its answers late",
  async () => {
    const limit = 60;
    const all = await four("frozen:", { requestsPerMinute: limit, askers: 10, runMs: 0 });
    for (let n = 0; n < 3; n++) {
      await Bun.sleep(400);
      redis?.freeze();
      await Bun.sleep(n * 400);
      redis?.thaw();
    }
    await Bun.sleep(QUICK.windowMs);
    await Promise.all(all.map((each) => each.end()));
    const admitted = all.flatMap((each) => each.admitted);
    expect(mostInAnyWindow(admitted, QUICK.windowMs)).toBeLessThanOrEqual(limit);
    expect(admitted.length).toBeGreaterThan(limit);
  },
  30_000,
);
