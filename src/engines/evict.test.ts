import { expect, test } from "bun:test";
import { expired, planEviction } from "./evict.ts";

const model = (id: string, bytes: number, lastUsed: number, users = 0) => ({
  id,
  bytes,
  lastUsed,
  users,
});

const room = (bytes: number, maxLoaded = 0) => ({ bytes, budget: 100, maxLoaded });

test("nothing is unloaded while there is room", () => {
  expect(planEviction([model("a", 40, 1)], room(60))).toEqual({ kind: "fits", unload: [] });
});

test("the least recently used go first, and no more of them than needed", () => {
  const loaded = [model("new", 30, 9), model("old", 30, 1), model("middle", 30, 5)];
  expect(planEviction(loaded, room(50))).toEqual({ kind: "fits", unload: ["old", "middle"] });
});

test("a model in use is never unloaded", () => {
  const loaded = [model("used", 60, 1, 1), model("idle", 30, 9)];
  expect(planEviction(loaded, room(40))).toEqual({ kind: "fits", unload: ["idle"] });
  expect(planEviction(loaded, room(50))).toEqual({ kind: "busy" });
});

test("a limit on the number of models counts besides the memory", () => {
  const loaded = [model("old", 1, 1), model("new", 1, 2)];
  expect(planEviction(loaded, room(1, 2))).toEqual({ kind: "fits", unload: ["old"] });
  expect(planEviction([model("used", 1, 1, 1)], room(1, 1))).toEqual({ kind: "busy" });
});

test("a model bigger than the budget is told apart from one that has to wait", () => {
  expect(planEviction([], room(101))).toEqual({ kind: "too-big" });
});

test("only models that nobody used for keep_alive expire", () => {
  const loaded = [model("fresh", 1, 950), model("stale", 1, 900), model("used", 1, 0, 1)];
  expect(expired(loaded, 100, 1_000)).toEqual(["stale"]);
});
