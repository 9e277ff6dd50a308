import { expect, test } from "bun:test";
import { meter } from "../../test/store/calls-fixture.ts";
import { RunningCalls } from "./running.ts";

test("only calls whose meter moved since the last time are told, with what they have reached", () => {
  const running = new RunningCalls();
  const a = meter();
  running.add("a", a, 1000);
  running.add("b", meter(), 1000);
  expect(running.moved()).toEqual([]);

  Object.assign(a, { promptTokens: 5, source: "counted", startedAt: 1002.5 });
  expect(running.moved()).toEqual([["a", 5, 0, 0, "counted", 2.5, null]]);
  expect(running.moved()).toEqual([]);

  Object.assign(a, { completionTokens: 1, firstTokenAt: 1040 });
  expect(running.moved()).toEqual([["a", 5, 1, 0, "counted", 2.5, 40]]);

  a.completionTokens = 9;
  running.delete("a");
  expect(running.moved()).toEqual([]);
});
