import { afterEach, expect, test } from "bun:test";
import { until } from "../wire.ts";
import { expectAlive, expectWhole, type Pair, startPair } from "./pair.ts";

/** A target that keeps failing is left alone for a while, tried by one call, and taken back when it works. */

const COOLDOWN_MS = 700;
const routing = (attempts: number) =>
  `attempts = ${attempts}\nmax_wait = "0s"\nbreaker_failures = 3\nbreaker_cooldown = "${COOLDOWN_MS}ms"`;

let pair: Pair;
afterEach(() => pair.close());

const asked = (model: string) =>
  pair.first.requests.filter(({ body }) => body.model === model).length;

/** One call after the other, until one of them tells what is waited for. */
const first = <T>(model: string, found: (status: number) => T | null): Promise<T> =>
  until(async () => found((await pair.ask(model)).status), model, COOLDOWN_MS * 20);

test("after three failures in a row it is not asked any more", async () => {
  pair = await startPair(["status-500"], { routing: routing(1) });
  const statuses: number[] = [];
  for (let i = 0; i < 8; i++) statuses.push((await pair.ask("alone/status-500")).status);
  expect(statuses).toEqual([502, 502, 502, 503, 503, 503, 503, 503]);
  expect(asked("status-500")).toBe(3);
  const refused = await pair.ask("alone/status-500", { stream: true });
  expect([refused.status, Number(refused.headers.get("retry-after"))]).toEqual([503, 1]);
  await expectAlive(pair);
});

test("with another target nobody notices", async () => {
  pair = await startPair(["status-500"], { routing: routing(2) });
  for (let i = 0; i < 8; i++) expectWhole(await pair.ask("both/status-500"));
  expect(asked("status-500")).toBe(3);
});

test("one call at a time tries whether it works again", async () => {
  pair = await startPair(["status-500-300"], { routing: routing(1) });
  for (let i = 0; i < 3; i++) await pair.ask("alone/status-500-300");
  await first("alone/status-500-300", (status) => (status === 502 ? true : null));
  expect(asked("status-500-300")).toBe(4);
  // It has opened again. Many calls at once, until one of them is let through:
  const statuses = await until(
    async () => {
      const calls = Array.from({ length: 6 }, () => pair.ask("alone/status-500-300"));
      const seen = await Promise.all(calls);
      return asked("status-500-300") > 4 ? seen.map(({ status }) => status) : null;
    },
    "one is let through",
    COOLDOWN_MS * 20,
  );
  expect(statuses.sort()).toEqual([502, 503, 503, 503, 503, 503]);
  expect(asked("status-500-300")).toBe(5);
});

test("one that works again is taken back", async () => {
  pair = await startPair(["flapping-4"], { routing: routing(1) });
  for (let i = 0; i < 5; i++) await pair.ask("alone/flapping-4");
  expect(asked("flapping-4")).toBe(3);
  await first("alone/flapping-4", (status) => (status === 200 ? true : null));
  expect(asked("flapping-4")).toBe(4);
  // The next calls reach it, and fail as it does, until there are three of them again.
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await pair.ask("alone/flapping-4")).status);
  expect(statuses).toEqual([502, 502, 502, 503]);
});
