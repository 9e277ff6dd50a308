import { expect } from "bun:test";
import { join } from "node:path";
import { QUICK, quickGateways, until } from "./quick-gateways.ts";

const { withRedis, redis, url, prefix, renew, end, gateway } = await quickGateways();

withRedis(
  "two gateways together admit what one key may send, and say when there is more",
  async () => {
    const [a, b] = [gateway("a"), gateway("b")];
    const limits = { requestsPerMinute: 10 };
    const all = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? a : b).ask(limits)),
    );
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    const refusal = await a.refused(limits);
    expect(refusal?.kind).toBe("rate_limit_exceeded");
    expect(refusal?.retryAfter).toBeGreaterThan(0.5);
    expect(refusal?.retryAfter).toBeLessThanOrEqual(1.2);
    await Bun.sleep((refusal?.retryAfter ?? 0) * 1000 + 5);
    expect((await b.ask(limits)).headers["x-ratelimit-limit-requests"]).toBe("10");
  },
);

withRedis("tokens given back at one gateway are free at the other", async () => {
  const [a, b] = [gateway("a"), gateway("b")];
  const limits = { tokensPerMinute: 1000 };
  const lease = await a.ask(limits, { tokens: 900 });
  expect(lease.headers["x-ratelimit-remaining-tokens"]).toBe("100");
  expect(await b.refused(limits, { tokens: 200 })).toMatchObject({ kind: "rate_limit_exceeded" });
  lease.release({ tokens: 100, costNanoUsd: 0 });
  await until(async () => (await b.refused(limits, { tokens: 900 })) === null);
});

withRedis(
  "units that run at one gateway are taken at the other, until they are given back",
  async () => {
    const [a, b] = [gateway("a"), gateway("b")];
    const limits = { concurrency: 4 };
    const large = await a.ask(limits, { units: 4 });
    expect(await b.refused(limits)).toMatchObject({ kind: "concurrency_limit_exceeded" });
    // Held for longer than a lease lasts, since it is renewed.
    await Bun.sleep(QUICK.ttlMs * 2);
    expect(await b.refused(limits)).toMatchObject({ kind: "concurrency_limit_exceeded" });
    expect((await b.standing(limits)).units).toBe(4);
    large.release();
    await until(async () => (await b.refused(limits)) === null);
  },
);

const budget = { period: "month", nanoUsd: 1000 } as const;

withRedis("a budget begins with the log's word once, and holds over all gateways", async () => {
  let asked = 0;
  const spent = async () => {
    asked += 1;
    return 400;
  };
  const [a, b] = [gateway("a", { spent }), gateway("b", { spent })];
  const lease = await a.ask({ budget }, { costNanoUsd: 500 });
  expect(await b.refused({ budget }, { costNanoUsd: 101 })).toMatchObject({
    kind: "insufficient_quota",
  });
  lease.release({ tokens: 0, costNanoUsd: 50 });
  await until(async () => (await b.standing({ budget })).budget?.spentNanoUsd === 450);
  (await b.ask({ budget }, { costNanoUsd: 550 })).release({ tokens: 0, costNanoUsd: 550 });
  expect(await a.refused({ budget }, { costNanoUsd: 1 })).toMatchObject({
    kind: "insufficient_quota",
  });
  expect(asked).toBe(1);
});

withRedis("a Redis that nobody knows is full for one window", async () => {
  renew();
  const a = gateway("a");
  const refusal = await a.refused({ requestsPerMinute: 10 });
  expect(refusal?.kind).toBe("rate_limit_exceeded");
  expect(refusal?.retryAfter).toBeGreaterThan(0.9);
  expect(a.limiter.state()).toMatchObject({ mode: "waiting", ok: false });
  // Who has no limits does not care.
  await a.ask({});
  await until(async () => (await a.refused({ requestsPerMinute: 10 })) === null);
  expect(a.limiter.state()).toMatchObject({ mode: "shared", ok: true, detail: null });
});

withRedis("a budget of a gateway that died is charged what was set aside", async () => {
  const [a, b] = [gateway("a"), gateway("b")];
  await a.ask({ budget, concurrency: 1 }, { costNanoUsd: 600 });
  expect(await b.refused({ budget, concurrency: 1 }, { costNanoUsd: 1 })).toMatchObject({
    kind: "concurrency_limit_exceeded",
  });
  // A clean end gives nothing back that is still running: like a death, as far as its leases go.
  await end(a);
  await until(
    async () => (await b.refused({ budget, concurrency: 1 }, { costNanoUsd: 400 })) === null,
  );
  expect((await b.standing({ budget })).budget).toMatchObject({
    spentNanoUsd: 600,
    reservedNanoUsd: 400,
  });
});

withRedis(
  "what running calls set aside of a budget is set aside in an empty Redis too",
  async () => {
    const a = gateway("a");
    const limits = { budget: { period: "day", nanoUsd: 1000 } } as const;
    const running = await a.ask(limits, { costNanoUsd: 400 });
    await redis?.kill();
    await redis?.start();
    await until(() => a.limiter.state().mode === "waiting");
    await until(() => a.limiter.state().mode === "shared");
    expect((await a.refused(limits, { costNanoUsd: 601 }))?.kind).toBe("insufficient_quota");
    const next = await a.ask(limits, { costNanoUsd: 500 });
    running.release({ tokens: 0, costNanoUsd: 100 });
    next.release({ tokens: 0, costNanoUsd: 50 });
    await until(async () => (await a.standing(limits)).budget?.spentNanoUsd === 150);
    expect((await a.standing(limits)).budget?.reservedNanoUsd).toBe(0);
  },
);

withRedis(
  "without Redis: nothing for a window, then a share, and the calls whose places lapse end before",
  async () => {
    const [a, b] = [gateway("a"), gateway("b")];
    const limits = { requestsPerMinute: 8, concurrency: 8 };
    const lease = await a.ask(limits);
    await b.ask(limits);
    let endedAt = 0;
    lease.onLost(() => {
      endedAt = performance.now();
    });
    const goneAt = performance.now();
    await redis?.kill();
    await until(() => endedAt > 0);
    expect(endedAt - goneAt).toBeLessThan(QUICK.ttlMs);
    expect(a.limiter.state()).toMatchObject({ mode: "waiting", ok: false, lost: 1 });
    expect(await a.refused(limits)).toMatchObject({ kind: "unavailable" });
    await until(async () => (await a.refused(limits)) === null);
    expect(performance.now() - goneAt).toBeGreaterThan(QUICK.windowMs + QUICK.quietMs);
    expect(a.limiter.state()).toMatchObject({ mode: "share", ok: false });
    const more = await Promise.all(Array.from({ length: 20 }, () => a.refused(limits)));
    expect(more.filter((refusal) => refusal === null)).toHaveLength(3);
    // And back: an empty Redis is full for a window, and what was granted meanwhile counts.
    await redis?.start();
    await until(() => a.limiter.state().mode === "waiting");
    await until(() => a.limiter.state().mode === "shared");
    expect((await b.standing(limits)).units).toBe(4);
  },
);

withRedis(
  "a gateway that died without a word has its share taken off the others' limits",
  async () => {
    const script = join(import.meta.dir, "limiter-process.ts");
    const b = gateway("b");
    const limits = { requestsPerMinute: 10 };
    const dying = Bun.spawn(
      [
        process.execPath,
        script,
        JSON.stringify({ ...QUICK, url, prefix: prefix(), gateway: "a", gateways: 2 }),
      ],
      { stdin: "pipe", stdout: "pipe" },
    );
    const reader = dying.stdout.getReader();
    await reader.read();
    dying.kill("SIGKILL");
    await dying.exited;
    await Bun.sleep(QUICK.quietMs + QUICK.windowMs);
    const all = await Promise.all(Array.from({ length: 20 }, () => b.refused(limits)));
    expect(all.filter((refusal) => refusal === null)).toHaveLength(5);
  },
);
