import { expect, test } from "bun:test";
import { backoff, COLD, type HostEvent, type HostState, transition } from "./host-state.ts";

const NOW = 1_000_000;
const ready: HostState = { name: "ready", failures: 0, since: NOW - 1_000 };

/** Follows events one after another, all at the same time. */
function follow(state: HostState, ...events: HostEvent[]): HostState {
  return events.reduce((at, event) => transition(at, event, NOW).state, state);
}

test("a cold model starts when it is needed, and only then", () => {
  expect(transition(COLD, "needed", NOW)).toEqual({
    state: { name: "loading", failures: 0 },
    action: "start",
  });
  for (const event of ["loaded", "exited", "unload"] as const)
    expect(transition(COLD, event, NOW)).toEqual({ state: COLD, action: null });
});

test("needing a model that loads or is ready starts nothing again", () => {
  const loading = follow(COLD, "needed");
  expect(transition(loading, "needed", NOW)).toEqual({ state: loading, action: null });
  expect(transition(ready, "needed", NOW)).toEqual({ state: ready, action: null });
});

test("a crash is backed off twice as long each time", () => {
  let state: HostState = COLD;
  let now = NOW;
  for (const wait of [500, 1_000, 2_000, 4_000]) {
    state = transition(state, "needed", now).state;
    expect(state.name).toBe("loading");
    state = transition(state, "exited", now).state;
    if (state.name !== "crashed") throw new Error(`expected crashed, got ${state.name}`);
    expect(state.retryAt - now).toBe(wait);
    expect(transition(state, "needed", state.retryAt - 1)).toEqual({ state, action: null });
    now = state.retryAt;
  }
  expect(backoff(50)).toBe(60_000);
});

test("a crash after a long time up counts as the first", () => {
  const old: HostState = { name: "ready", failures: 5, since: NOW - 3_600_000 };
  expect(transition(old, "exited", NOW).state).toMatchObject({ name: "crashed", failures: 1 });
  expect(transition({ ...old, since: NOW - 10 }, "exited", NOW).state).toMatchObject({
    failures: 6,
  });
});

test("a model that is needed while it drains starts again once it is gone", () => {
  expect(transition(ready, "unload", NOW).action).toBe("stop");
  expect(follow(ready, "unload", "exited")).toEqual(COLD);
  expect(follow(ready, "unload", "needed", "exited").name).toBe("loading");
});

test("a model unloaded while it loads ends cold, not crashed", () => {
  expect(follow(COLD, "needed", "unload", "loaded", "exited")).toEqual(COLD);
});

test("a model that can't be loaded now is cold again, without a pause or a failure counted", () => {
  expect(follow(COLD, "needed", "refused")).toEqual(COLD);
  expect(follow(COLD, "needed", "refused", "needed")).toEqual({ name: "loading", failures: 0 });
  expect(follow(COLD, "needed", "unload", "refused")).toEqual(COLD);
  expect(follow(COLD, "needed", "unload", "needed", "refused").name).toBe("loading");
});
