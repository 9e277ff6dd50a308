import { expect } from "bun:test";
import { UNLIMITED } from "../../src/gateway/limits/limits.ts";
import { quickGateways, until } from "./quick-gateways.ts";

/** What gateways that share their limits tell of them: headers, `/v1/plan`, `/account/concurrency`. */

const { withRedis, redis, gateway, wire, renew } = await quickGateways();

const remaining = (headers: Readonly<Record<string, string>>) =>
  headers["x-ratelimit-remaining-requests"];

withRedis(
  "without Redis what is left is this gateway's part, in headers and plan alike",
  async () => {
    const a = gateway("a");
    const limits = { requestsPerMinute: 8, tokensPerMinute: 800 };
    await a.ask(limits, { tokens: 10 });
    await redis?.kill();
    try {
      await until(() => a.limiter.state().mode === "waiting");
      expect(remaining(a.headers(limits))).toBe("0");
      expect(a.standing(limits)).rejects.toMatchObject({ kind: "unavailable" });
      await until(() => a.limiter.state().mode === "share");
      expect(await a.standing(limits)).toMatchObject({ requests: { used: 0, left: 4 } });
      const { headers } = await a.ask(limits, { tokens: 100 });
      for (const told of [headers, a.headers(limits)])
        expect(told).toMatchObject({
          "x-ratelimit-limit-requests": "8",
          "x-ratelimit-remaining-requests": "3",
          "x-ratelimit-limit-tokens": "800",
          "x-ratelimit-remaining-tokens": "300",
        });
      expect(await a.standing(limits)).toMatchObject({
        requests: { used: 1, left: 3 },
        tokens: { used: 100, left: 300 },
        units: 2,
      });
      // A limit of which its part is nothing has nothing left.
      expect(remaining(a.headers({ requestsPerMinute: 1 }))).toBe("0");
    } finally {
      await redis?.start();
    }
  },
);

withRedis("what is left is told without the share of a gateway that is cut off", async () => {
  const line = await wire();
  const a = gateway("a", { url: line.url });
  const b = gateway("b");
  const limits = { requestsPerMinute: 10 };
  await a.ask(limits);
  expect(remaining((await b.ask(limits)).headers)).toBe("8");
  line.cut();
  await until(async () => (await b.standing(limits)).requests.left < 8);
  const { requests } = await b.standing(limits);
  expect(requests.left).toBe(5 - requests.used);
  const { headers } = await b.ask(limits);
  expect(Number(remaining(headers))).toBeLessThanOrEqual(4);
  expect(remaining(b.headers(limits))).toBe(remaining(headers));
});

withRedis("a Redis that nobody knows has nothing left", async () => {
  renew();
  const a = gateway("a");
  const limits = { requestsPerMinute: 10 };
  await a.refused(limits);
  expect(remaining(a.headers(limits))).toBe("0");
  expect(await a.standing(limits)).toMatchObject({ requests: { left: 0 } });
});

withRedis("a refusal tells a gateway what the minute has left, whoever took of it", async () => {
  const [a, b] = [gateway("a"), gateway("b")];
  const limits = { tokensPerMinute: 500 };
  const left = () => b.limiter.tokensLeft("k", { ...UNLIMITED, ...limits });
  await a.ask(limits, { tokens: 21 });
  expect((await b.refused(limits, { tokens: 500 }))?.kind).toBe("rate_limit_exceeded");
  expect(left()).toBe(479);
  await b.ask(limits, { tokens: 479 });
  expect(left()).toBe(0);
  expect(b.limiter.tokensLeft("k", UNLIMITED)).toBeNull();
});

withRedis("whichever limit refuses, what is left of the others is told as it is", async () => {
  const [a, b] = [gateway("a"), gateway("b")];
  const limits = { requestsPerMinute: 10, concurrency: 1 };
  await a.ask(limits);
  expect((await b.refused(limits))?.kind).toBe("concurrency_limit_exceeded");
  expect(remaining(b.headers(limits))).toBe("9");
  const budget = { period: "day", nanoUsd: 10 } as const;
  const c = gateway("c", { gateways: 3 });
  await c.refused({ requestsPerMinute: 10, budget }, { costNanoUsd: 11 });
  expect(remaining(c.headers(limits))).toBe("9");
});

withRedis("calls that hold nothing in Redis are among the units that run", async () => {
  const a = gateway("a");
  for (const limits of [{}, { requestsPerMinute: 10 }, { concurrency: 9 }]) {
    const lease = await a.ask(limits, { units: 2 });
    expect((await a.standing(limits)).units).toBe(2);
    lease.release();
    await until(async () => (await a.standing(limits)).units === 0);
  }
  await redis?.kill();
  try {
    await until(() => a.limiter.state().mode === "waiting");
    const lease = await a.ask({}, { units: 2 });
    expect((await a.standing({})).units).toBe(2);
    lease.release();
  } finally {
    await redis?.start();
  }
});
