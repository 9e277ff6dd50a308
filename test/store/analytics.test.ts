import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  CallsQuery,
  type Cursor,
  type Figures,
  GROUPS,
  type Group,
  TotalsQuery,
} from "../../src/contract/analytics.ts";
import { parseQuery } from "../../src/contract/validate.ts";
import { BUCKETS, bucketOf, quantile } from "../../src/store/histogram.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import type { ReserveRecord, SettleRecord } from "../../src/types.ts";
import { Seeded } from "../seeded.ts";
import { meter, refusalOf, reserveOf, settleOf, tempFolder } from "./calls-fixture.ts";
import { onBothDatabases } from "./databases.ts";

/** The figures of the analytics API against the calls they are of, on real databases. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CALLS = 1500;
/** What somebody might send in the hope that it becomes SQL. */
const INJECTIONS = [
  "' OR '1'='1",
  "'; DROP TABLE calls; --",
  '" OR ""="',
  "x') UNION SELECT name, sql, 1, 1 FROM sqlite_master --",
  "$1",
  "?",
  "%",
  "_",
  "\\",
  "/* */",
  "1; SELECT pg_sleep(10)",
  "key_1'||(SELECT '')||'",
];

interface Made {
  readonly reserve: ReserveRecord;
  readonly settle: SettleRecord;
}

const GROUP_OF: Readonly<Record<Group, (made: Made) => string>> = {
  key: ({ reserve }) => reserve.keyId,
  model: ({ reserve }) => reserve.model,
  provider: ({ settle }) => settle.provider ?? "",
  endpoint: ({ reserve }) => reserve.endpoint,
  status: ({ settle }) => settle.status,
  error: ({ settle }) => settle.error ?? "",
};

function fail(message: string): never {
  throw new Error(message);
}

function madeUp(count: number, until: number): Made[] {
  const random = new Seeded(42);
  return Array.from({ length: count }, (_, n) => {
    const at = until - (random.chance(0.5) ? random.below(6 * HOUR) : random.below(5 * DAY));
    const id = `chatcmpl-${String(n).padStart(6, "0")}`;
    const failed = random.chance(0.2);
    const resumed = random.chance(0.1);
    const totalMs = Math.round(10 ** (1 + random.next() * 4));
    const attempt = {
      provider: "p1",
      upstreamId: "u",
      model: "m1",
      startMs: 0,
      tookMs: 5,
      completionTokens: 1,
      malformedEvents: 0,
    };
    return {
      reserve: reserveOf(id, {
        at,
        model: random.pick(["m1", "m2", "maker/m-3"]),
        keyId: random.pick(["key_1", "key_2", "anonymous", "o'brien"]),
        endpoint: random.pick(["/v1/chat/completions", "/v1/completions"]),
        requestId: random.chance(0.1) ? `req-${n % 7}` : null,
      }),
      settle: settleOf(id, {
        at: at + totalMs,
        status: failed ? "failed" : random.chance(0.1) ? "cancelled" : "completed",
        error: failed ? random.pick(["upstream_error", "overloaded"]) : null,
        provider: random.pick(["p1", "p2"]),
        promptTokens: random.below(1000),
        completionTokens: random.below(500),
        cachedTokens: random.below(100),
        costNanoUsd: random.chance(0.2) ? null : random.below(5_000_000),
        firstTokenMs: failed ? null : Math.round(totalMs / 3),
        queueMs: random.below(50),
        totalMs,
        attempts: [
          { ...attempt, error: resumed ? "upstream_error" : null, message: null, how: "first" },
          ...(resumed
            ? [{ ...attempt, error: null, message: null, how: "continue" as const }]
            : []),
        ],
      }),
    };
  });
}

function figuresOf(made: readonly Made[]): Partial<Figures> {
  const sum = (of: (each: Made) => number) => made.reduce((all, each) => all + of(each), 0);
  const latency = (of: (each: Made) => number | null) => {
    const times = made.map(of).filter((time) => time !== null);
    const counts = new Array<number>(BUCKETS).fill(0);
    for (const time of times) counts[bucketOf(time)] = (counts[bucketOf(time)] ?? 0) + 1;
    const at = (share: number) => {
      const found = quantile(counts, share);
      return found === null ? null : Math.round(found * 10) / 10;
    };
    return { count: times.length, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99) };
  };
  return {
    calls: made.length,
    failed: made.filter(({ settle }) => settle.status === "failed").length,
    attempts: sum(({ settle }) => settle.attempts.length),
    prompt_tokens: sum(({ settle }) => settle.promptTokens),
    completion_tokens: sum(({ settle }) => settle.completionTokens),
    cached_tokens: sum(({ settle }) => settle.cachedTokens),
    cost_usd: sum(({ settle }) => settle.costNanoUsd ?? 0) / 1e9,
    first_token: expect.objectContaining(latency(({ settle }) => settle.firstTokenMs)),
    total: expect.objectContaining(latency(({ settle }) => settle.totalMs)),
  };
}

onBothDatabases("analytics", (kind) => {
  const folder = tempFolder();
  const until = Math.floor(Date.now() / MINUTE) * MINUTE;
  const made = madeUp(CALLS, until);
  let store: Store;

  beforeAll(async () => {
    store = openStore({
      home: folder.path,
      durability: "process",
      version: "test",
      databaseUrl: await kind.url(),
    });
    for (const { reserve, settle } of made) {
      await store.ledger.reserve(reserve, meter());
      void store.ledger.settle(settle);
    }
    expect(await store.caughtUp(30_000)).toBe(true);
  }, 60_000);
  afterAll(async () => {
    await store.close();
    folder[Symbol.dispose]();
  });

  const query = (fields: Record<string, string>) =>
    parseQuery(TotalsQuery, new URLSearchParams(fields));
  const since = (ago: number) => new Date(until - ago).toISOString();
  const within = (from: number, to: number) =>
    made.filter(({ reserve: { at } }) => at >= from && at < to);

  test.each([
    ["of everything", {}, () => true],
    ["of one key", { key: "key_1" }, ({ reserve }: Made) => reserve.keyId === "key_1"],
    [
      "of a key with a quote in it",
      { key: "o'brien" },
      ({ reserve }: Made) => reserve.keyId === "o'brien",
    ],
    [
      "of two models at one provider",
      { model: "m1,maker/m-3", provider: "p2" },
      ({ reserve, settle }: Made) => reserve.model !== "m2" && settle.provider === "p2",
    ],
    [
      "of a key's failures on an endpoint",
      { key: "key_2", status: "failed", endpoint: "/v1/completions" },
      ({ reserve, settle }: Made) =>
        reserve.keyId === "key_2" &&
        settle.status === "failed" &&
        reserve.endpoint === "/v1/completions",
    ],
    ["of an error", { error: "overloaded" }, ({ settle }: Made) => settle.error === "overloaded"],
    ["of nobody", { key: "nobody" }, () => false],
  ])("totals %s are those of its calls", async (_, filters: Record<string, string>, passes) => {
    const fields = { from: since(6 * DAY), to: since(-HOUR), ...filters };
    expect(await store.analytics.totals(query(fields))).toMatchObject(
      figuresOf(made.filter(passes)),
    );
  });

  test("a time that begins and ends within hours is counted to the minute", async () => {
    const totals = await store.analytics.totals(
      query({ from: since(217 * MINUTE), to: since(31 * MINUTE) }),
    );
    expect(totals).toMatchObject(figuresOf(within(until - 217 * MINUTE, until - 31 * MINUTE)));
    expect(Date.parse(totals.from)).toBe(until - 217 * MINUTE);
  });

  test.each([
    ["minute", 3 * HOUR, MINUTE],
    ["hour", 3 * DAY, HOUR],
    ["day", 6 * DAY, DAY],
  ] as const)("a series by %s has each call in one place", async (span, ago, length) => {
    const series = await store.analytics.series({
      from: until - ago,
      to: until,
      span,
      by: "model",
      latency: true,
    });
    const from = Math.floor((until - ago) / length) * length;
    const expected = new Map<string, Made[]>();
    for (const each of within(from, Math.ceil(until / length) * length)) {
      const at = Math.floor(each.reserve.at / length) * length;
      const name = `${new Date(at).toISOString()} ${each.reserve.model}`;
      expected.set(name, [...(expected.get(name) ?? []), each]);
    }
    expect(series.truncated).toBe(false);
    expect(series.data.map(({ at, group }) => `${at} ${group}`)).toEqual(
      [...expected.keys()].sort(),
    );
    for (const { at, group, ...figures } of series.data) {
      expect(figures).toMatchObject(figuresOf(expected.get(`${at} ${group}`) ?? []));
    }
  });

  test("a series that would be too long is refused with what to do", async () => {
    const asked = store.analytics.series({ from: 0, to: until, span: "minute" });
    await expect(asked).rejects.toThrow("take a longer span");
  });

  test.each(["calls", "tokens", "cost", "failed"] as const)("the top by %s", async (sort) => {
    const top = await store.analytics.top({
      from: until - 6 * DAY,
      to: until,
      by: "key",
      sort,
      limit: 3,
      latency: true,
    });
    const of = ({ prompt_tokens, completion_tokens, cost_usd, calls, failed }: Partial<Figures>) =>
      ({ calls, failed, cost: cost_usd, tokens: (prompt_tokens ?? 0) + (completion_tokens ?? 0) })[
        sort
      ];
    const names = [...new Set(made.map(({ reserve }) => reserve.keyId))];
    const expected = names
      .map((group) => ({
        group,
        ...figuresOf(made.filter(({ reserve }) => reserve.keyId === group)),
      }))
      .sort((a, b) => (of(b) ?? 0) - (of(a) ?? 0))
      .slice(0, 3);
    expect(top.data).toMatchObject(expected);
  });

  test.each(["hour", "day"] as const)(
    "a series by %s of one thing by another, for any two",
    async (span) => {
      const length = span === "hour" ? HOUR : DAY;
      for (const filter of GROUPS) {
        const value = GROUP_OF[filter](made[7] ?? fail("none made"));
        for (const by of GROUPS) {
          const of = made.filter((each) => GROUP_OF[filter](each) === value);
          const expected = Map.groupBy(of, (each) => {
            const at = Math.floor(each.reserve.at / length) * length;
            return `${new Date(at).toISOString()} ${GROUP_OF[by](each)}`;
          });
          const { data } = await store.analytics.series({
            ...query({ from: since(6 * DAY), to: since(-HOUR), [filter]: value }),
            span,
            by,
          });
          const found = data.map(({ at, group, calls, failed }) => [
            `${at} ${group}`,
            calls,
            failed,
          ]);
          const wanted = [...expected].map(([name, calls]) => {
            const failed = calls.filter(({ settle }) => settle.status === "failed").length;
            return [name, calls.length, failed];
          });
          wanted.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
          expect({ filter, by, found }).toEqual({ filter, by, found: wanted });
        }
      }
    },
  );

  test("errors by kind", async () => {
    const { data } = await store.analytics.errors(query({ from: since(6 * DAY) }));
    const count = (error: string) => made.filter(({ settle }) => settle.error === error).length;
    expect(data.toSorted((a, b) => a.error.localeCompare(b.error))).toEqual([
      { error: "overloaded", status: "failed", calls: count("overloaded") },
      { error: "upstream_error", status: "failed", calls: count("upstream_error") },
    ]);
  });

  const listed = async (fields: Record<string, string>, limit = 100) => {
    const ids: string[] = [];
    let after: Cursor | undefined;
    for (;;) {
      const asked = parseQuery(
        CallsQuery,
        new URLSearchParams({ ...fields, limit: String(limit) }),
      );
      const page = await store.analytics.calls(after === undefined ? asked : { ...asked, after });
      ids.push(...page.rows.map(({ id }) => id));
      if (page.next === null) return ids;
      after = page.next;
    }
  };
  const newestFirst = (calls: readonly Made[]) =>
    calls
      .toSorted((a, b) => b.reserve.at - a.reserve.at || (a.reserve.id < b.reserve.id ? 1 : -1))
      .map(({ reserve }) => reserve.id);

  test.each([
    ["everything", {}, () => true],
    ["a key", { key: "anonymous" }, ({ reserve }: Made) => reserve.keyId === "anonymous"],
    ["two keys", { key: "key_1,key_2" }, ({ reserve }: Made) => reserve.keyId.startsWith("key_")],
    [
      "a model and a provider",
      { model: "m2", provider: "p1" },
      ({ reserve, settle }: Made) => reserve.model === "m2" && settle.provider === "p1",
    ],
    ["a status", { status: "failed" }, ({ settle }: Made) => settle.status === "failed"],
    [
      "the usual status",
      { status: "completed" },
      ({ settle }: Made) => settle.status === "completed",
    ],
    [
      "two statuses",
      { status: "failed,cancelled" },
      ({ settle }: Made) => settle.status !== "completed",
    ],
    ["an error", { error: "overloaded" }, ({ settle }: Made) => settle.error === "overloaded"],
    [
      "an endpoint",
      { endpoint: "/v1/completions" },
      ({ reserve }: Made) => reserve.endpoint === "/v1/completions",
    ],
    ["a request id", { request_id: "req-3" }, ({ reserve }: Made) => reserve.requestId === "req-3"],
    ["resumed", { resumed: "true" }, ({ settle }: Made) => settle.attempts.length === 2],
    ["not resumed", { resumed: "false" }, ({ settle }: Made) => settle.attempts.length === 1],
    ["a cost", { min_cost: "0.004" }, ({ settle }: Made) => (settle.costNanoUsd ?? 0) >= 4_000_000],
    ["a duration", { min_total_ms: "20000" }, ({ settle }: Made) => settle.totalMs >= 20_000],
    [
      "a first token",
      { min_first_token_ms: "9000" },
      ({ settle }: Made) => (settle.firstTokenMs ?? 0) >= 9000,
    ],
    ["nobody", { key: "nobody" }, () => false],
  ])(
    "the list by %s has every call once, newest first",
    async (_, filters: Record<string, string>, passes) => {
      expect(await listed(filters, 37)).toEqual(newestFirst(made.filter(passes)));
    },
  );

  test("the list of a time has its calls", async () => {
    const fields = { from: since(5 * HOUR), to: since(HOUR) };
    expect(await listed(fields, 50)).toEqual(newestFirst(within(until - 5 * HOUR, until - HOUR)));
  });

  describe("what looks like SQL", () => {
    const calls = async () => (await store.query("SELECT COUNT(*) AS n FROM calls", []))[0];

    test.each(INJECTIONS)("%s is a name that nothing has", async (text) => {
      const before = await calls();
      for (const group of ["key", "model", "provider", "endpoint", "error"] as const) {
        const filters = { from: 0, to: until, [group]: [text] };
        expect(await store.analytics.totals(filters)).toMatchObject({ calls: 0 });
        expect((await store.analytics.top({ ...filters, by: group })).data).toEqual([]);
        expect((await store.analytics.errors(filters)).data).toEqual([]);
        expect((await store.analytics.calls(filters)).rows).toEqual([]);
      }
      expect((await store.analytics.calls({ request_id: text })).rows).toEqual([]);
      expect(await store.analytics.call(text)).toBeNull();
      const after = { startedAt: until + DAY, id: text };
      expect((await store.analytics.calls({ after, limit: 1 })).rows.length).toBe(1);
      expect(await calls()).toEqual(before);
    });
  });

  test("pages never repeat or leave out a call while others are written", async () => {
    const before = newestFirst(made);
    let n = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        const id = `chatcmpl-new-${n++}`;
        await store.ledger.reserve(reserveOf(id, { model: "new" }), meter());
        await store.ledger.settle(settleOf(id));
        if (n % 3 === 0) store.ledger.refuse(refusalOf(`req-new-${n}`));
        await Bun.sleep(0);
      }
    })();
    const ids = await listed({}, 23);
    writing = false;
    await writer;
    expect(n).toBeGreaterThan(10);
    expect(new Set(ids).size).toBe(ids.length);
    const known = new Set(before);
    expect(ids.filter((id) => known.has(id))).toEqual(before);
  });
});
