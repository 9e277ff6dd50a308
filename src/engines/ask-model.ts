import { GatewayError } from "../contract/errors.ts";
import type { AttemptContext } from "../types.ts";
import type { Speech } from "./kind.ts";
import type { ModelPool, PooledModel } from "./pool.ts";
import { giveBack, takePlace } from "./take-place.ts";

/** Who asks. */
export interface AskContext extends Pick<AttemptContext, "keyId" | "signal" | "meter"> {
  /** For the further parts of a request of which one was admitted to the line. */
  readonly admitted?: boolean;
  /** It takes long, for a kind that has places for such. */
  readonly long?: boolean;
}

/**
 * Asks a model of any kind once: waits for a place and for the model to be loaded, and resolves with
 * the last event. `ask` is made when the model is there; each goes to `onEvent` as it comes.
 * Rejects as the model does, with `overloaded` where its line is full, and with `client_closed` at
 * once when the context's signal aborts; the place is free when the model has come to an end with it.
 */
export async function askModel<S extends Speech>(
  pool: ModelPool,
  pooled: PooledModel<S>,
  ask: (info: S["info"]) => S["ask"],
  { keyId, signal, meter, admitted = false, long = false }: AskContext,
  onEvent: (event: S["event"]) => void = () => undefined,
): Promise<S["event"]> {
  const done = pool.hold(pooled);
  try {
    const release = await takePlace(pooled, keyId, admitted, signal, long);
    const began = performance.now();
    let settled = Promise.resolve();
    try {
      // It may have crashed while this one waited.
      const info = await pooled.host.ensureReady(signal);
      if (meter.startedAt === 0) meter.startedAt = began;
      const asked = pooled.host.ask(ask(info), signal);
      settled = asked.settled;
      return await lastOf(asked, onEvent);
    } finally {
      giveBack(pooled, release, began, settled);
    }
  } finally {
    done();
  }
}

/** The last of a request's events; all of them are told as they come. */
export async function lastOf<Event>(
  groups: AsyncIterable<readonly Event[]>,
  onEvent: (event: Event) => void,
): Promise<Event> {
  let last: { readonly event: Event } | null = null;
  for await (const events of groups)
    for (const event of events) {
      onEvent(event);
      last = { event };
    }
  if (last !== null) return last.event;
  throw new GatewayError("upstream_error", "The model stopped unexpectedly. Try again.");
}
