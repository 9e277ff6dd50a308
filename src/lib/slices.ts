/** How long the event loop is kept from its other work at once. */
const SLICE_MS = 8;

/**
 * Runs a long computation in pieces: it yields often, and whenever a slice of time is used up, the
 * event loop gets its turn. Resolves with what it returns.
 */
export async function inSlices<T>(
  work: Generator<void, T>,
  sliceMs = SLICE_MS,
  now: () => number = () => performance.now(),
): Promise<T> {
  let began = now();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (now() - began < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    began = now();
  }
}

/** The same at one go. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
