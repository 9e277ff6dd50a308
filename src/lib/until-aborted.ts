/** What the work gives, or the signal's reason as soon as it is aborted, for work that can't be aborted itself. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", leave));
}
