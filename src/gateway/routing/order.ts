import type { Target } from "../../types.ts";
import type { HealthView } from "./health.ts";

/** How a model's targets are put in order. */
export type Strategy = "priority" | "weighted" | "least-latency" | "cheapest" | "round-robin";

/** One target with what is known of it now. */
export interface Candidate {
  readonly target: Target;
  readonly health: HealthView;
}

export interface Draw {
  /** On the `performance.now()` clock. */
  readonly now: number;
  /** 0 to 1, 1 excluded; asked once for each target that is drawn. */
  readonly random: () => number;
  /** How many calls this model has had: whose turn it is. */
  readonly turn: number;
}

/** A measurement counts half after this long, so that a slow target is tried again some day. */
const HALF_LIFE_MS = 60_000;
const FASTEST_MS = 1;

/** Targets in the order of a strategy; of equals, the one that was named first. Pure. */
export function inOrder(
  candidates: readonly Candidate[],
  strategy: Strategy,
  session: string | null,
  draw: Draw,
): Candidate[] {
  switch (strategy) {
    case "priority":
      return byNumber(affine(candidates, session), ({ target }) => target.priority);
    case "weighted":
      return byNumber(
        session === null ? drawn(candidates, draw.random) : affine(candidates, session),
        ({ target }) => target.priority,
      );
    case "round-robin":
      return session === null
        ? turned(candidates, draw.turn)
        : byNumber(affine(candidates, session), ({ target }) => target.priority);
    case "cheapest":
      return byNumber(affine(candidates, session), ({ target }) => blended(target));
    case "least-latency":
      return byNumber(affine(candidates, session), (each) => latency(each, draw.now));
  }
}

/** By the caller's own wish. */
export function bySort(
  candidates: readonly Candidate[],
  sort: "price" | "throughput" | "latency",
  now: number,
): Candidate[] {
  if (sort === "price") return byNumber(candidates, ({ target }) => blended(target));
  if (sort === "latency") return byNumber(candidates, (each) => latency(each, now));
  // A target that was never measured is tried, or it would never be.
  const speed = ({ health }: Candidate) => health.tokensPerSecond ?? Number.POSITIVE_INFINITY;
  return byNumber(candidates, (each) => -speed(each));
}

/** A stable sort, the smallest first. */
function byNumber(candidates: readonly Candidate[], key: (each: Candidate) => number): Candidate[] {
  if (candidates.length < 2) return [...candidates];
  return candidates
    .map((each) => ({ each, key: key(each) }))
    .sort((a, b) => (a.key === b.key ? 0 : a.key - b.key))
    .map(({ each }) => each);
}

/** Dollars for a token of prompt and one of completion together; unknown prices come last. */
function blended({ price }: Target): number {
  return price === null ? Number.MAX_VALUE : price.prompt + price.completion + price.request;
}

/**
 * What a call may expect to wait: the average, halved for each minute since it was measured, and busy
 * ones longer. No target is so fast that all calls at once would go to it, nor one that is not measured.
 */
function latency({ health }: Candidate, now: number): number {
  const measured = health.firstTokenMs ?? health.answerMs ?? 0;
  const age = Math.max(0, now - health.measuredAt);
  const expected = Math.max(FASTEST_MS, measured * 0.5 ** (age / HALF_LIFE_MS));
  return expected * (1 + health.running / 8);
}

/** By chance, each as likely first as its weight: Efraimidis and Spirakis, 2006. */
function drawn(candidates: readonly Candidate[], random: () => number): Candidate[] {
  return candidates
    .map((each) => ({ each, key: -Math.log(1 - random()) / each.target.weight }))
    .sort((a, b) => a.key - b.key)
    .map(({ each }) => each);
}

/** By turns among those of one priority: backups take no part in the turns of the first ones. */
function turned(candidates: readonly Candidate[], turn: number): Candidate[] {
  const byPriority = Map.groupBy(candidates, ({ target }) => target.priority);
  return [...byPriority]
    .sort(([a], [b]) => a - b)
    .flatMap(([, equals]) => {
      const start = turn % equals.length;
      return [...equals.slice(start), ...equals.slice(0, start)];
    });
}

/**
 * The same order for every call of a session, shares by weight: weighted rendezvous hashing. A target
 * that comes or goes moves only its own sessions.
 */
function affine(candidates: readonly Candidate[], session: string | null): readonly Candidate[] {
  if (session === null || candidates.length < 2) return candidates;
  return candidates
    .map((each) => {
      const hash = Bun.hash.xxHash32(`${session}\n${each.target.id}`);
      return { each, key: -Math.log((hash + 1) / 2 ** 32) / each.target.weight };
    })
    .sort((a, b) => a.key - b.key)
    .map(({ each }) => each);
}
