import { expect, test } from "bun:test";
import { Seeded } from "../../../test/seeded.ts";
import { type Claim, type Lease, type Limits, UNLIMITED } from "./limits.ts";
import { MemoryLimiter } from "./memory.ts";

/** 2026-01-31T23:00Z. */
const START = Date.UTC(2026, 0, 31, 23);

/** A limiter whose clock only the test moves; what it says of a refusal stands in for the lease. */
function limiter(spent: () => Promise<number> = () => Promise.resolve(0)) {
  const time = { now: 0 };
  const clock = { now: () => time.now, wall: () => START + time.now };
  const memory = new MemoryLimiter({ spent, clock });
  const ask = async (limits: Partial<Limits>, claim: Partial<Claim> = {}) => {
    const all = { ...UNLIMITED, ...limits };
    const whole = { keyId: "k", tokens: 0, units: 1, image: false, costNanoUsd: null, ...claim };
    return await memory.admit({ ...whole, limits: all });
  };
  const refused = (limits: Partial<Limits>, claim: Partial<Claim> = {}) =>
    ask(limits, claim).then(
      () => null,
      (error) => ({ kind: error.kind, status: error.status, retryAfter: error.retryAfter }),
    );
  return { memory, time, ask, refused };
}

test("past the requests of a minute the wait is told to the second, and then a place is free", async () => {
  const { time, ask, refused } = limiter();
  const limits = { requestsPerMinute: 2 };
  time.now = 1_000;
  await ask(limits);
  time.now = 20_000;
  await ask(limits);
  time.now = 30_500;
  expect(await refused(limits)).toEqual({
    kind: "rate_limit_exceeded",
    status: 429,
    retryAfter: 30.5,
  });
  time.now = 61_000;
  expect((await ask(limits)).headers["x-ratelimit-remaining-requests"]).toBe("0");
});

test("tokens are set aside at their upper bound, and what was not used is free at once", async () => {
  const { ask, refused } = limiter();
  const limits = { tokensPerMinute: 1000 };
  const lease = await ask(limits, { tokens: 800 });
  expect(lease.headers["x-ratelimit-remaining-tokens"]).toBe("200");
  expect(await refused(limits, { tokens: 300 })).toMatchObject({ retryAfter: 60 });
  lease.release({ tokens: 100, costNanoUsd: 0 });
  expect((await ask(limits, { tokens: 900 })).headers["x-ratelimit-remaining-tokens"]).toBe("0");
});

test("a request that could take more than a minute's tokens is told what to change", async () => {
  const { ask } = limiter();
  const asking = ask({ tokensPerMinute: 1000 }, { tokens: 1001 });
  expect(asking).rejects.toMatchObject({ kind: "invalid_request", param: "max_tokens" });
});

test("a prompt that only its bytes make too long is admitted with all the room there is, one at a time", async () => {
  const { time, ask, refused } = limiter();
  const limits = { tokensPerMinute: 1000 };
  const long = { tokens: 2500, likely: { tokens: 900, costNanoUsd: 0 } };
  const lease = await ask(limits, long);
  expect(lease.headers["x-ratelimit-remaining-tokens"]).toBe("0");
  expect(await refused(limits, { tokens: 1 })).toMatchObject({ retryAfter: 60 });
  lease.release({ tokens: 400, costNanoUsd: 0 });
  // Six hundred are free: for what likely takes so many, and while that runs for nothing more.
  expect(await refused(limits, long)).toMatchObject({ retryAfter: 60 });
  time.now = 30_000;
  const short = { tokens: 1500, likely: { tokens: 550, costNanoUsd: 0 } };
  const running = await ask(limits, short);
  time.now = 60_000;
  const small = { tokens: 500, likely: { tokens: 300, costNanoUsd: 0 } };
  expect(await refused(limits, small)).toMatchObject({ retryAfter: 1 });
  running.release({ tokens: 500, costNanoUsd: 0 });
  await ask(limits, small);
});

test("what takes more than was set aside for it is waited for by those that follow", async () => {
  const { ask, refused } = limiter();
  const limits = { tokensPerMinute: 1000 };
  const digits = { tokens: 2500, likely: { tokens: 900, costNanoUsd: 0 } };
  (await ask(limits, digits)).release({ tokens: 2500, costNanoUsd: 0 });
  expect(await refused(limits, { tokens: 1 })).toMatchObject({ retryAfter: 60 });
});

test("of two limits that are reached the longer wait is told", async () => {
  const { time, ask, refused } = limiter();
  const limits = { requestsPerMinute: 2, tokensPerMinute: 100 };
  await ask(limits, { tokens: 10 });
  time.now = 10_000;
  await ask(limits, { tokens: 90 });
  time.now = 20_000;
  expect(await refused(limits, { tokens: 50 })).toMatchObject({ retryAfter: 50 });
  expect(await refused(limits, { tokens: 5 })).toMatchObject({ retryAfter: 40 });
});

test("a lease given back twice frees its units once", async () => {
  const { memory, ask, refused } = limiter();
  const limits = { concurrency: 4 };
  const large = await ask(limits, { units: 4 });
  expect(await refused(limits)).toMatchObject({ kind: "concurrency_limit_exceeded" });
  large.release();
  large.release();
  await ask(limits, { units: 3 });
  expect(await refused(limits, { units: 2 })).toMatchObject({ kind: "concurrency_limit_exceeded" });
  expect(memory.state().leases).toBe(1);
});

test("a model that takes more units than the key has is refused for good", async () => {
  const { refused } = limiter();
  expect(await refused({ concurrency: 2 }, { units: 4 })).toMatchObject({
    kind: "model_not_allowed",
  });
});

test("images have a number of their own", async () => {
  const { ask, refused } = limiter();
  const limits = { imageParallel: 1 };
  const image = await ask(limits, { image: true });
  await ask(limits);
  expect(await refused(limits, { image: true })).toMatchObject({ status: 429 });
  image.release();
  await ask(limits, { image: true });
});

test("a refused request takes nothing", async () => {
  const { memory, ask, refused } = limiter();
  const limits = { requestsPerMinute: 5, tokensPerMinute: 100, concurrency: 1 };
  await ask(limits, { tokens: 50 });
  await refused(limits, { tokens: 10 });
  await refused(limits, { tokens: 60 });
  expect(await memory.standing("k", { ...UNLIMITED, ...limits })).toMatchObject({
    requests: { used: 1 },
    tokens: { used: 50 },
    units: 1,
  });
});

const budget = { period: "day", nanoUsd: 1000 } as const;

test("a budget begins with what the log says, and holds the upper bound of what runs", async () => {
  const { ask, refused } = limiter(() => Promise.resolve(300));
  const lease = await ask({ budget }, { costNanoUsd: 600 });
  expect(await refused({ budget }, { costNanoUsd: 101 })).toMatchObject({
    kind: "insufficient_quota",
    status: 402,
  });
  lease.release({ tokens: 0, costNanoUsd: 50 });
  (await ask({ budget }, { costNanoUsd: 650 })).release({ tokens: 0, costNanoUsd: 650 });
  expect(await refused({ budget }, { costNanoUsd: 0 })).toMatchObject({ status: 402 });
});

test("a request that likely fits what is left of a budget is admitted with all of it, one at a time", async () => {
  const { memory, ask, refused } = limiter(() => Promise.resolve(200));
  const long = { costNanoUsd: 2000, likely: { tokens: 0, costNanoUsd: 700 } };
  const lease = await ask({ budget }, long);
  const all = { ...UNLIMITED, budget };
  expect((await memory.standing("k", all)).budget).toMatchObject({ reservedNanoUsd: 800 });
  expect(await refused({ budget }, { costNanoUsd: 1 })).toMatchObject({ status: 402 });
  lease.release({ tokens: 0, costNanoUsd: 100 });
  expect((await memory.standing("k", all)).budget).toMatchObject({
    spentNanoUsd: 300,
    reservedNanoUsd: 0,
  });
  (await ask({ budget }, long)).release({ tokens: 0, costNanoUsd: 100 });
  expect(await refused({ budget }, long)).toMatchObject({ status: 402 });
});

test("what calls cost that began before their key had a budget, or had another, is spent from it", async () => {
  const { memory, ask } = limiter();
  const month = { period: "month", nanoUsd: 5000 } as const;
  const standing = async (of: Limits["budget"]) =>
    (await memory.standing("k", { ...UNLIMITED, budget: of })).budget?.spentNanoUsd;
  const [before, other] = [await ask({}), await ask({ budget }, { costNanoUsd: 500 })];
  expect([await standing(budget), await standing(month)]).toEqual([0, 0]);
  before.release({ tokens: 0, costNanoUsd: 300 });
  other.release({ tokens: 0, costNanoUsd: 400 });
  expect([await standing(budget), await standing(month)]).toEqual([700, 700]);
});

test("a call that ends while the log is being read is not lost between the two", async () => {
  const reading = Promise.withResolvers<number>();
  const { memory, ask } = limiter(() => reading.promise);
  const before = await ask({});
  const opened = memory.standing("k", { ...UNLIMITED, budget });
  before.release({ tokens: 0, costNanoUsd: 300 });
  reading.resolve(100);
  expect((await opened).budget?.spentNanoUsd).toBe(400);
});

test("what is certain to cost nothing is admitted with the budget spent", async () => {
  const { ask } = limiter(() => Promise.resolve(2000));
  await ask({ budget }, { costNanoUsd: null });
});

test("many first requests ask the log once, and are admitted up to the budget", async () => {
  let asked = 0;
  const { ask } = limiter(async () => {
    asked += 1;
    return 0;
  });
  const all = Array.from({ length: 50 }, () => ask({ budget }, { costNanoUsd: 100 }));
  const settled = await Promise.allSettled(all);
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  expect(asked).toBe(1);
});

test("while the log can't be read a budget is 503, and asked again by the next request", async () => {
  let down = true;
  const { ask, refused } = limiter(() =>
    down ? Promise.reject(new Error("down")) : Promise.resolve(0),
  );
  expect(await refused({ budget }, { costNanoUsd: 1 })).toMatchObject({ status: 503 });
  down = false;
  await ask({ budget }, { costNanoUsd: 1 });
});

test("a new day begins with a new budget, and a call counts for the day it was admitted in", async () => {
  const { memory, time, ask } = limiter();
  const lease = await ask({ budget }, { costNanoUsd: 1000 });
  time.now = 60 * 60_000;
  await ask({ budget }, { costNanoUsd: 400 });
  lease.release({ tokens: 0, costNanoUsd: 900 });
  const { budget: standing } = await memory.standing("k", { ...UNLIMITED, budget });
  expect(standing).toEqual({
    spentNanoUsd: 0,
    reservedNanoUsd: 400,
    resetsAt: Date.UTC(2026, 1, 2),
  });
});

test("headers say each limit, what is left of it, and when all of it is free again", async () => {
  const { time, ask } = limiter();
  time.now = 5_000;
  const { headers } = await ask({ requestsPerMinute: 10, tokensPerMinute: 500 }, { tokens: 100 });
  expect(headers).toEqual({
    "x-ratelimit-limit": "10",
    "x-ratelimit-remaining": "9",
    "x-ratelimit-limit-requests": "10",
    "x-ratelimit-remaining-requests": "9",
    "x-ratelimit-reset-requests": "2026-01-31T23:01:05.000Z",
    "x-ratelimit-limit-tokens": "500",
    "x-ratelimit-remaining-tokens": "400",
    "x-ratelimit-reset-tokens": "2026-01-31T23:01:05.000Z",
  });
});

test("a limit that is lowered holds from the next request on", async () => {
  const { ask, refused } = limiter();
  for (let n = 0; n < 5; n++) await ask({ requestsPerMinute: 10 });
  expect(await refused({ requestsPerMinute: 5 })).toMatchObject({ retryAfter: 60 });
});

test("once the server drains nothing is admitted", async () => {
  const { memory, refused } = limiter();
  memory.drain();
  expect(await refused({})).toMatchObject({ status: 503 });
});

test("whatever comes and goes when, no limit is ever passed", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new Seeded(seed).next;
    const limits = {
      requestsPerMinute: 3 + Math.floor(random() * 40),
      tokensPerMinute: 200 + Math.floor(random() * 2000),
      concurrency: 2 + Math.floor(random() * 6),
      budget: { period: "day", nanoUsd: 20_000 } as const,
    };
    const { memory, time, ask } = limiter();
    const admitted: { at: number; tokens: number }[] = [];
    const open: { lease: Lease; claim: Claim; entry: { at: number; tokens: number } }[] = [];
    let [units, spent] = [0, 0];
    for (let step = 0; step < 1500; step++) {
      time.now += random() < 0.8 ? random() * 1500 : random() * 30_000;
      const claim: Claim = {
        keyId: "k",
        limits: { ...UNLIMITED, ...limits },
        tokens: 1 + Math.floor(random() * 300),
        units: random() < 0.8 ? 1 : 2,
        image: false,
        costNanoUsd: Math.floor(random() * 200),
      };
      const lease = await ask(limits, claim).catch(() => null);
      if (lease !== null) {
        const entry = { at: time.now, tokens: claim.tokens };
        admitted.push(entry);
        open.push({ lease, claim, entry });
        units += claim.units;
        const within = admitted.filter(({ at }) => at + 60_000 > time.now);
        expect(within.length).toBeLessThanOrEqual(limits.requestsPerMinute);
        expect(within.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(
          limits.tokensPerMinute,
        );
        expect(units).toBeLessThanOrEqual(limits.concurrency);
      }
      if (open.length > 0 && random() < 0.6) {
        const [one] = open.splice(Math.floor(random() * open.length), 1);
        if (one === undefined) continue;
        const used = {
          tokens: Math.floor(one.claim.tokens * random()),
          costNanoUsd: Math.floor((one.claim.costNanoUsd ?? 0) * random()),
        };
        one.lease.release(used);
        one.entry.tokens = used.tokens;
        units -= one.claim.units;
        // The run takes more than a day: what counts is the running one's.
        spent = (await memory.standing("k", claim.limits)).budget?.spentNanoUsd ?? 0;
        expect(spent).toBeLessThanOrEqual(20_000);
      }
    }
    expect(admitted.length).toBeGreaterThan(100);
  }
});

test("nor by more than what one request takes beyond what it likely takes", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new Seeded(seed).next;
    const limits = { tokensPerMinute: 1000 + Math.floor(random() * 2000) };
    const { time, ask } = limiter();
    const taken: { at: number; tokens: number }[] = [];
    const open: { lease: Lease; entry: { at: number; tokens: number }; most: number }[] = [];
    let beyond = 0;
    for (let step = 0; step < 1500; step++) {
      time.now += random() * 2000;
      const likely = 50 + Math.floor(random() * 900);
      const most = likely * (1 + Math.floor(random() * 3));
      const claim = { tokens: most, likely: { tokens: likely, costNanoUsd: 0 } };
      const lease = await ask(limits, claim).catch(() => null);
      if (lease !== null) {
        const entry = { at: time.now, tokens: most };
        taken.push(entry);
        open.push({ lease, entry, most });
        const within = taken.filter(({ at }) => at + 60_000 > time.now);
        const sum = within.reduce((all, { tokens }) => all + tokens, 0);
        beyond = Math.max(beyond, sum - limits.tokensPerMinute);
      }
      if (open.length > 0 && random() < 0.7) {
        const [one] = open.splice(Math.floor(random() * open.length), 1);
        if (one === undefined) continue;
        // Some take all that they can.
        one.entry.tokens = random() < 0.3 ? one.most : Math.floor(one.most * random());
        one.lease.release({ tokens: one.entry.tokens, costNanoUsd: 0 });
      }
    }
    expect(taken.length).toBeGreaterThan(50);
    expect(beyond).toBeGreaterThan(0);
    // Of at most 950 tokens twice as many.
    expect(beyond).toBeLessThanOrEqual(1900);
  }
});
