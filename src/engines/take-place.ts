import type { Speech } from "./kind.ts";
import type { PooledModel } from "./pool.ts";

const WEIGHT_OF_LAST_ANSWER = 0.2;

/**
 * Gives a place back when the child is done with what was asked from it, and remembers how long it was
 * taken: by that, how long others will have to wait is told. Nobody waits for this.
 */
export function giveBack<S extends Speech>(
  pooled: PooledModel<S>,
  release: () => void,
  began: number,
  settled: Promise<void>,
): void {
  settled.then(
    () => {
      release();
      const ms = performance.now() - began;
      pooled.answerMs += WEIGHT_OF_LAST_ANSWER * (ms - pooled.answerMs);
    },
    () => release(),
  );
}

/**
 * Waits for the model and for a place at it at the same time: both have time limits of their own. One that
 * takes `long` waits where its kind has places for such.
 */
export async function takePlace<S extends Speech>(
  pooled: PooledModel<S>,
  keyId: string,
  admitted: boolean,
  signal: AbortSignal,
  long = false,
): Promise<() => void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const queue = long ? pooled.longQueue : pooled.queue;
  const place = queue.acquire({ keyId, signal: either, admitted });
  try {
    const [release] = await Promise.all([place, pooled.host.ensureReady(either)]);
    return release;
  } catch (error) {
    stop.abort();
    // A place that was granted after all goes back; a refusal is `error`, or follows from it.
    place.then(
      (release) => release(),
      () => undefined,
    );
    throw error;
  }
}
