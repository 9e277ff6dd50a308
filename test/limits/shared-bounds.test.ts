import { expect } from "bun:test";
import { RedisClient } from "bun";
import { UNLIMITED } from "../../src/gateway/limits/limits.ts";
import { claimMessage, holdOf, settledMessage } from "../../src/gateway/limits/shared/messages.ts";
import { Session } from "../../src/gateway/limits/shared/session.ts";
import { QUICK, quickGateways, until } from "./quick-gateways.ts";

/** What is set aside of tokens and budgets over several gateways, and what becomes of it. */

const { withRedis, redis, url, prefix, gateway, wire } = await quickGateways();

const budget = { period: "month", nanoUsd: 1000 } as const;
/** What a lease's names live at least, unless they hold a part of a budget. */
const GONE_MS = QUICK.windowMs + QUICK.ttlMs;

withRedis(
  "a prompt that only its bytes make too long gets all the room there is, one at a time",
  async () => {
    const [a, b] = [gateway("a"), gateway("b")];
    const limits = { tokensPerMinute: 1000 };
    const long = { tokens: 2500, likely: { tokens: 500, costNanoUsd: 0 } };
    expect((await b.refused(limits, { tokens: 1001 }))?.kind).toBe("invalid_request");
    const first = await a.ask(limits, { tokens: 400 });
    const lease = await a.ask(limits, long);
    expect(lease.headers["x-ratelimit-remaining-tokens"]).toBe("0");
    first.release({ tokens: 0, costNanoUsd: 0 });
    await until(async () => (await b.standing(limits)).tokens.left === 400);
    const small = { tokens: 600, likely: { tokens: 300, costNanoUsd: 0 } };
    const refusal = await b.refused(limits, small);
    expect([refusal?.kind, refusal?.retryAfter]).toEqual(["rate_limit_exceeded", 1]);
    lease.release({ tokens: 550, costNanoUsd: 0 });
    await until(async () => (await b.refused(limits, small)) === null);
  },
);

withRedis("what likely fits the rest of a budget takes all of it, one at a time", async () => {
  const [a, b] = [gateway("a"), gateway("b")];
  const long = { costNanoUsd: 2000, likely: { tokens: 0, costNanoUsd: 700 } };
  const lease = await a.ask({ budget }, long);
  await until(() => b.limiter.state().mode === "shared");
  expect((await b.standing({ budget })).budget?.reservedNanoUsd).toBe(1000);
  expect((await b.refused({ budget }, { costNanoUsd: 1 }))?.kind).toBe("insufficient_quota");
  lease.release({ tokens: 0, costNanoUsd: 200 });
  await until(async () => (await b.standing({ budget })).budget?.spentNanoUsd === 200);
  (await b.ask({ budget }, long)).release({ tokens: 0, costNanoUsd: 200 });
  await until(async () => (await a.standing({ budget })).budget?.spentNanoUsd === 400);
  expect((await a.standing({ budget })).budget?.reservedNanoUsd).toBe(0);
  expect((await a.refused({ budget }, long))?.kind).toBe("insufficient_quota");
});

withRedis(
  "a gateway that was cut off for long gives back what its calls had set aside",
  async () => {
    const line = await wire();
    const a = gateway("a", { url: line.url });
    const b = gateway("b");
    const [ended, running] = [
      await a.ask({ budget }, { costNanoUsd: 300 }),
      await a.ask({ budget }, { costNanoUsd: 400 }),
    ];
    line.cut();
    await until(() => a.limiter.state().mode !== "shared");
    // Nobody asks for this key meanwhile, so that nobody charges what has lapsed.
    await Bun.sleep(GONE_MS + 100);
    ended.release({ tokens: 0, costNanoUsd: 50 });
    line.mend();
    await until(() => a.limiter.state().mode === "shared");
    const standing = async () => (await b.standing({ budget })).budget;
    await until(async () => (await standing())?.spentNanoUsd === 50);
    expect((await standing())?.reservedNanoUsd).toBe(400);
    running.release({ tokens: 0, costNanoUsd: 100 });
    await until(async () => (await standing())?.spentNanoUsd === 150);
    expect((await standing())?.reservedNanoUsd).toBe(0);
  },
);

withRedis(
  "a call that ends at a gateway that an emptied Redis has not heard of yet is charged",
  async () => {
    const line = await wire();
    const a = gateway("a", { url: line.url });
    const b = gateway("b");
    const running = await a.ask({ budget }, { costNanoUsd: 300 });
    line.cut();
    await redis?.kill();
    await redis?.start();
    await until(() => b.limiter.state().mode === "waiting");
    await until(() => b.limiter.state().mode === "shared");
    // The period begins with what the log says, which does not know the running call.
    (await b.ask({ budget }, { costNanoUsd: 1 })).release();
    running.release({ tokens: 0, costNanoUsd: 200 });
    line.mend();
    await until(async () => (await b.standing({ budget })).budget?.spentNanoUsd === 200);
  },
);

withRedis("what calls cost that began before their key had a budget is spent from it", async () => {
  const [a, b] = [gateway("a"), gateway("b")];
  const leases = [
    await a.ask({}),
    await a.ask({ requestsPerMinute: 10 }),
    await a.ask({ concurrency: 10 }),
    await a.ask({ budget: { period: "day", nanoUsd: 1000 } }, { costNanoUsd: 100 }),
  ];
  (await b.ask({ budget }, { costNanoUsd: 1 })).release();
  for (const lease of leases) lease.release({ tokens: 0, costNanoUsd: 10 });
  await until(async () => (await b.standing({ budget })).budget?.spentNanoUsd === 40);
  const day = { budget: { period: "day", nanoUsd: 1000 } } as const;
  expect((await b.standing(day)).budget).toMatchObject({ spentNanoUsd: 40, reservedNanoUsd: 0 });
});

withRedis(
  "without Redis what running calls may cost is off this gateway's part of a budget",
  async () => {
    const a = gateway("a");
    const running = await a.ask({ budget }, { costNanoUsd: 400 });
    await redis?.kill();
    try {
      await until(() => a.limiter.state().mode === "share");
      expect((await a.refused({ budget }, { costNanoUsd: 101 }))?.kind).toBe("unavailable");
      await a.ask({ budget }, { costNanoUsd: 100 });
      expect((await a.standing({ budget })).budget).toMatchObject({ reservedNanoUsd: 500 });
      running.release({ tokens: 0, costNanoUsd: 10 });
    } finally {
      await redis?.start();
    }
  },
);

withRedis("what is only too much for its part is no lasting refusal", async () => {
  const spent = { byKey: 0 };
  const a = gateway("a", { spent: async () => spent.byKey });
  await a.refused({ requestsPerMinute: 1 });
  await redis?.kill();
  try {
    await until(() => a.limiter.state().mode === "share");
    const kind = async (...asked: Parameters<typeof a.refused>) =>
      (await a.refused(...asked))?.kind;
    expect([
      await kind({ tokensPerMinute: 1000 }, { tokens: 600 }),
      await kind({ concurrency: 4 }, { units: 3 }),
      await kind({ budget }, { costNanoUsd: 600 }),
      await kind({ tokensPerMinute: 1000 }, { tokens: 1001 }),
    ]).toEqual(["unavailable", "unavailable", "unavailable", "invalid_request"]);
    spent.byKey = 1000;
    const day = { period: "day", nanoUsd: 1000 } as const;
    expect(await kind({ budget: day }, { costNanoUsd: 1 })).toBe("insufficient_quota");
  } finally {
    await redis?.start();
  }
});

withRedis("a claim that arrives after its gateway has given it up is not granted", async () => {
  const client = new RedisClient(url);
  const info = String(await client.send("INFO", ["server"]));
  const connection = {
    run: /^run_id:(\w+)/m.exec(info)?.[1] ?? "",
    send: (command: string, args: readonly string[]) => client.send(command, [...args]),
    drop: () => client.close(),
  };
  const agreement = { ...QUICK, prefix: prefix(), gateway: "a", gateways: 2 };
  const session = new Session(connection, agreement, {
    now: () => performance.now(),
    wall: () => Date.now(),
  });
  const limits = { ...UNLIMITED, budget };
  const claim = { keyId: "k", limits, tokens: 0, units: 1, image: false, costNanoUsd: 500 };
  const hold = holdOf(claim, Date.now());
  const nothing = { tokens: 0, costNanoUsd: 0 };
  const given = { ...settledMessage("k", "late", nothing, hold, Date.now()), void: true };
  await session.say({ op: "join", settled: [given] });
  const late = { ...claimMessage(claim, "late", hold), start: 0 };
  const { answers } = await session.say({ op: "admit", claims: [late] });
  expect(answers).toEqual([{ no: "void" }]);
  const next = { ...claimMessage(claim, "next", hold), start: 0 };
  const heard = await session.say({ op: "admit", claims: [next] });
  expect(heard.answers?.[0]?.no).toBeUndefined();
  client.close();
});
