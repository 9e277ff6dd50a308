import type { Target } from "../../types.ts";
import type { Call } from "../call.ts";
import { type Gateway, mayAnswer, stateOf } from "../gateway.ts";
import { pause } from "./pause.ts";
import { nextTarget, type Retries } from "./retry.ts";

/** A target that is asked next, and how to give back what that takes of its provider's concurrency. */
export interface Place {
  readonly target: Target;
  readonly release: () => void;
}

/**
 * Waits until one of these targets may be asked within the rules: one with a place at its provider and
 * no pause of its own before one that is full. `"full"` when none of the full ones had a place in time,
 * null when nobody may be asked.
 */
export async function nextPlace(
  gateway: Gateway,
  call: Call,
  targets: readonly Target[],
  retries: Retries,
): Promise<Place | "full" | null> {
  const { slots } = gateway;
  const { keyId } = call.caller;
  const { maxWaitMs } = gateway.routing.rules;
  for (;;) {
    const now = performance.now();
    if (retries.made > 0 && now > retries.deadline) return null;
    const well = targets.filter((target) => mayBeAsked(gateway, target, now));
    const free = well.filter(({ provider, concurrencyCost }) =>
      slots.hasPlace(provider, concurrencyCost),
    );
    const restsUntil = (id: string): number => gateway.health.of(id, now).restsUntil;
    const next = nextTarget(free, retries.tried, now, retries.deadline, maxWaitMs, restsUntil);
    if (next?.waitMs === 0) {
      const release = slots.take(next.target.provider, next.target.concurrencyCost, keyId);
      if (release !== null) return { target: next.target, release };
    }
    const full = well.filter(
      (target) =>
        !free.includes(target) &&
        (retries.tried.get(target.id)?.notBefore ?? now) <= now &&
        restsUntil(target.id) <= now,
    );
    if (full.length === 0) {
      if (next === null) return null;
      await pause(call, next.waitMs);
      continue;
    }
    const ms = Math.min(next?.waitMs ?? maxWaitMs, retries.deadline - now);
    const place = ms > 0 ? await freed(gateway, call, full, ms) : null;
    if (place !== null) return place;
    if (next === null) return "full";
  }
}

/** Its keys may have come to rest, or its breaker may have opened, since it was chosen. */
export function mayBeAsked(gateway: Gateway, target: Target, now: number): boolean {
  return (
    mayAnswer(stateOf(gateway, target)) && gateway.health.of(target.id, now).breaker !== "open"
  );
}

/** The first place that comes free at any of their providers; null when none does in time. */
async function freed(
  gateway: Gateway,
  call: Call,
  targets: readonly Target[],
  ms: number,
): Promise<Place | null> {
  let place: Place | null = null;
  await pause(call, ms, (wake) => {
    const stops = targets.map((target) =>
      gateway.slots.wait(target.provider, target.concurrencyCost, call.caller.keyId, (release) => {
        place = { target, release };
        wake();
      }),
    );
    return () => {
      for (const stop of stops) stop();
    };
  });
  return place;
}
