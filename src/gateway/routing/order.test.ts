import { expect, test } from "bun:test";
import { targetAt, UNASKED } from "../../../test/gateway/targets.ts";
import { Seeded } from "../../../test/seeded.ts";
import type { Target } from "../../types.ts";
import type { HealthView } from "./health.ts";
import { bySort, type Candidate, inOrder, type Strategy } from "./order.ts";

const at = (
  provider: string,
  known: Partial<Target> = {},
  health: Partial<HealthView> = {},
): Candidate => ({ target: targetAt(provider, known), health: { ...UNASKED, ...health } });

const price = (prompt: number, completion: number, request = 0) => ({
  price: { prompt, cached: null, completion, request, image: null },
});
const draw = (turn = 0, random = () => 0.5, now = 0) => ({ now, random, turn });
const names = (candidates: readonly Candidate[]) =>
  candidates.map(({ target }) => target.provider).join(" ");
const order = (candidates: readonly Candidate[], strategy: Strategy, turn = 0) =>
  names(inOrder(candidates, strategy, null, draw(turn)));

test("by priority: the lowest first, and equals as they were named", () => {
  const all = [at("c", { priority: 1 }), at("a"), at("d", { priority: -1 }), at("b")];
  expect(order(all, "priority")).toBe("d a b c");
});

test("round robin gives each target of the lowest priority its turn, and the others come after", () => {
  const all = [at("a"), at("b"), at("c"), at("z", { priority: 1 })];
  const orders = [0, 1, 2, 3, 4, 5].map((turn) => order(all, "round-robin", turn));
  const round = ["a b c z", "b c a z", "c a b z"];
  expect(orders).toEqual([...round, ...round]);
});

test("the cheapest first, by what a token in and one out cost together; unknown prices last", () => {
  const all = [
    at("unknown"),
    at("dear", price(3, 3)),
    at("free", price(0, 0)),
    at("b", price(1, 2)),
  ];
  expect(order(all, "cheapest")).toBe("free b dear unknown");
});

test("by latency: the fastest first token, busy targets later, and unmeasured ones before all", () => {
  const measured = (firstTokenMs: number, running = 0) => ({
    firstTokenMs,
    running,
    measuredAt: 0,
  });
  const all = [at("slow", {}, measured(500)), at("fast", {}, measured(100)), at("new")];
  expect(order(all, "least-latency")).toBe("new fast slow");
  const busy = [at("slow", {}, measured(500)), at("fast", {}, measured(100, 80))];
  expect(order(busy, "least-latency")).toBe("slow fast");
});

test("an old measurement counts less and less, so that a slow target is tried again", () => {
  const all = (now: number) => [
    at("good", {}, { firstTokenMs: 200, measuredAt: now }),
    at("once-slow", {}, { firstTokenMs: 1000, measuredAt: 0 }),
  ];
  const first = (now: number) =>
    names(inOrder(all(now), "least-latency", null, { ...draw(), now })).split(" ")[0];
  expect([first(0), first(60_000), first(180_000)]).toEqual(["good", "good", "once-slow"]);
});

test("targets that nobody has measured share the calls that come before their first answers", () => {
  const all = [at("a", {}, { running: 20 }), at("b", {}, { running: 3 })];
  expect(order(all, "least-latency")).toBe("b a");
});

test("by chance, each is first as often as its weight says", () => {
  const all = [at("a", { weight: 1 }), at("b", { weight: 2 }), at("c", { weight: 7 })];
  const random = new Seeded(7).next;
  const firsts = new Map<string, number>();
  for (let n = 0; n < 20_000; n++) {
    const [first] = inOrder(all, "weighted", null, draw(0, random));
    const name = first?.target.provider ?? "";
    firsts.set(name, (firsts.get(name) ?? 0) + 1);
  }
  for (const [name, share] of Object.entries({ a: 0.1, b: 0.2, c: 0.7 })) {
    // Four standard deviations of a share of 20,000 draws.
    const bound = 4 * Math.sqrt((share * (1 - share)) / 20_000);
    expect(Math.abs((firsts.get(name) ?? 0) / 20_000 - share)).toBeLessThan(bound);
  }
});

test("by chance, no target of a later priority comes before one of an earlier", () => {
  const random = new Seeded(1).next;
  const all = [at("b", { priority: 1, weight: 1e6 }), at("a", { weight: 1e-6 })];
  for (let n = 0; n < 100; n++) {
    expect(names(inOrder(all, "weighted", null, draw(0, random)))).toBe("a b");
  }
});

const SESSIONS = Array.from({ length: 5000 }, (_, n) => `session-${n}`);
const STRATEGIES = ["priority", "weighted", "round-robin"] as const;
const home = (all: readonly Candidate[], session: string, strategy: Strategy = "priority") =>
  inOrder(
    all,
    strategy,
    session,
    draw(3, () => 0.9),
  )[0]?.target.provider;

test.each(STRATEGIES)(
  "%s: calls of one session go to the same target, whatever the order",
  (strategy) => {
    const all = [at("a"), at("b"), at("c")];
    for (const session of SESSIONS.slice(0, 200)) {
      const first = home(all, session, strategy);
      expect(home(all.toReversed(), session, strategy)).toBe(first);
    }
  },
);

test("sessions are shared out by weight", () => {
  const all = [at("a", { weight: 1 }), at("b", { weight: 3 })];
  const share = SESSIONS.filter((session) => home(all, session) === "a").length / SESSIONS.length;
  expect(share).toBeGreaterThan(0.22);
  expect(share).toBeLessThan(0.28);
});

test("a target that goes moves only its own sessions, and one that comes takes only its own", () => {
  const three = [at("a"), at("b", { weight: 2 }), at("c")];
  const two = three.slice(0, 2);
  let moved = 0;
  for (const session of SESSIONS) {
    const before = home(three, session);
    const after = home(two, session);
    if (before === "c") moved += 1;
    else expect(after).toBe(before);
  }
  expect(moved / SESSIONS.length).toBeGreaterThan(0.22);
  expect(moved / SESSIONS.length).toBeLessThan(0.28);
});

test("a session's second choice is its home while the first is away", () => {
  const three = [at("a"), at("b"), at("c")];
  for (const session of SESSIONS.slice(0, 300)) {
    const [first, second] = inOrder(three, "priority", session, draw());
    const without = three.filter((each) => each !== first);
    expect(home(without, session)).toBe(second?.target.provider);
  }
});

test("a caller's own wish goes before priorities", () => {
  const all = [
    at("a", { priority: 0, ...price(5, 5) }, { firstTokenMs: 10, tokensPerSecond: 20 }),
    at("b", { priority: 1, ...price(1, 1) }, { firstTokenMs: 900, tokensPerSecond: 90 }),
  ];
  const sorted = (["price", "latency", "throughput"] as const).map((sort) =>
    names(bySort(all, sort, 0)),
  );
  expect(sorted).toEqual(["b a", "a b", "b a"]);
  expect(names(bySort([...all, at("new")], "throughput", 0))).toBe("new b a");
});
