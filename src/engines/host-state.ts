/**
 * The life of one model's child process. `failures` counts crashes in a row; a process that stayed
 * up for a while starts the count anew. Times are `performance.now()` milliseconds.
 */
export type HostState =
  | { readonly name: "cold" }
  | { readonly name: "loading"; readonly failures: number }
  | { readonly name: "ready"; readonly failures: number; readonly since: number }
  /** Going away; `wanted` when somebody has asked for the model since. */
  | { readonly name: "draining"; readonly wanted: boolean }
  | { readonly name: "crashed"; readonly failures: number; readonly retryAt: number };

export type HostEvent =
  /** A caller wants to use the model. */
  | "needed"
  /** The child has loaded it. */
  | "loaded"
  /** The child is gone, or could not load it. */
  | "exited"
  /** It can't be loaded now, and no child was started: there is no room, or its weights are missing. */
  | "refused"
  /** It is to be unloaded. */
  | "unload";

/** What the host has to do after a transition. */
export type HostAction = "start" | "stop" | null;

export interface Transition {
  readonly state: HostState;
  readonly action: HostAction;
}

export const COLD: HostState = { name: "cold" };

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 60_000;
/** After this long without a crash the next one counts as the first. */
const STABLE_MS = 60_000;

export function transition(state: HostState, event: HostEvent, now: number): Transition {
  const stay: Transition = { state, action: null };
  switch (state.name) {
    case "cold":
      return event === "needed" ? start(0) : stay;
    case "loading":
      if (event === "loaded")
        return { state: { name: "ready", failures: state.failures, since: now }, action: null };
      if (event === "exited") return crashed(state.failures, now);
      if (event === "refused") return { state: COLD, action: null };
      if (event === "unload") return stop();
      return stay;
    case "ready":
      if (event === "exited")
        return crashed(now - state.since < STABLE_MS ? state.failures : 0, now);
      if (event === "unload") return stop();
      return stay;
    case "draining":
      if (event === "needed") return { state: { name: "draining", wanted: true }, action: null };
      if (event === "exited" || event === "refused")
        return state.wanted ? start(0) : { state: COLD, action: null };
      return stay;
    case "crashed":
      if (event === "needed" && now >= state.retryAt) return start(state.failures);
      if (event === "unload") return { state: COLD, action: null };
      return stay;
  }
}

function start(failures: number): Transition {
  return { state: { name: "loading", failures }, action: "start" };
}

function stop(): Transition {
  return { state: { name: "draining", wanted: false }, action: "stop" };
}

function crashed(failuresBefore: number, now: number): Transition {
  const failures = failuresBefore + 1;
  return {
    state: { name: "crashed", failures, retryAt: now + backoff(failures) },
    action: "stop",
  };
}

/** Milliseconds to wait after the n-th failure in a row. */
export function backoff(failures: number): number {
  return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
}
