import { expect, test } from "bun:test";
import { expired, planEviction } from "./evict.ts";

const model = (id: string, bytes: number, lastUsed: number, users = 0) => ({
  id,
  bytes,
  lastUsed,
  users,
});

test("nothing is unloaded while there is room", () => {
  expect(planEviction([model("a", 40, 1)], 60, 100)).toEqual({ kind: "fits", unload: [] });
});

test("the least recently used go first, and no more of them than needed", () => {
  const loaded = [model("new", 30, 9), model("old", 30, 1), model("middle", 30, 5)];
  expect(planEviction(loaded, 50, 100)).toEqual({ kind: "fits", unload: ["old", "middle"] });
});

test("a model in use is never unloaded", () => {
  const loaded = [model("used", 60, 1, 1), model("idle", 30, 9)];
  expect(planEviction(loaded, 40, 100)).toEqual({ kind: "fits", unload: ["idle"] });
  expect(planEviction(loaded, 50, 100)).toEqual({ kind: "busy" });
});

test("a model bigger than the budget is told apart from one that has to wait", () => {
  expect(planEviction([], 101, 100)).toEqual({ kind: "too-big" });
});

test("only models that nobody used for keep_alive expire", () => {
  const loaded = [model("fresh", 1, 950), model("stale", 1, 900), model("used", 1, 0, 1)];
  expect(expired(loaded, 100, 1_000)).toEqual(["stale"]);
});
