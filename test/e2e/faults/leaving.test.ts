import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chatBody, endedRow, frames, post, until } from "../wire.ts";
import { expectAlive, type Pair, startPair } from "./pair.ts";

/** A client that leaves: whatever the call is doing, its upstream is told at once. */

const TARGET_MS = 100;
/** The target holds for a machine at rest; this one may be busy. */
const TRIES = 5;
const LONG = ["first_byte", "first_token", "gap", "answer"]
  .map((name) => `${name}_timeout = "60s"`)
  .join("\n");

let pair: Pair;
beforeAll(async () => {
  pair = await startPair(
    [
      "silence",
      "stalls-3",
      "stalls-7",
      "slowtoken-60000",
      "paced-20-story-400",
      "dies-7-story-40",
      "status-500",
    ],
    {
      limits: LONG,
      second: "silence",
      routing: 'attempts = 5\nmax_wait = "20s"\nbudget = "60s"\nbreaker_failures = 0',
    },
  );
});
afterAll(() => pair.close());
afterEach(() => expectAlive(pair));

const CASES: readonly (readonly [stream: boolean, model: string, words: number])[] = [
  [false, "alone/silence", 0],
  [false, "alone/stalls-3", 0],
  [false, "alone/slowtoken-60000", 0],
  [true, "alone/silence", 0],
  [true, "alone/slowtoken-60000", 0],
  [true, "alone/stalls-7", 5],
  [true, "alone/paced-20-story-400", 5],
  // The first target died, and the second one is being waited for.
  [true, "both/dies-7-story-40", 5],
];

describe.each(CASES)("stream %p of %s", (stream, model, words) => {
  test(`is closed at its upstream within ${TARGET_MS} ms`, async () => {
    let took = Number.POSITIVE_INFINITY;
    for (let i = 0; i < TRIES && took > TARGET_MS; i++) took = await leave(model, stream, words);
    expect(took).toBeLessThanOrEqual(TARGET_MS);
  }, 20_000);
});

/** Milliseconds from a client's leaving to the end of its request at the upstream. */
async function leave(model: string, stream: boolean, words: number): Promise<number> {
  const requests = () => [...pair.first.requests, ...pair.second.requests];
  const before = requests().length;
  const leaving = new AbortController();
  const said = `${model} ${performance.now()}`;
  const asked = post(`${pair.covey.url}/v1/chat/completions`, chatBody(model, said, { stream }), {
    signal: leaving.signal,
  });
  asked.catch(() => undefined);
  const wanted = model.startsWith("both/") ? 2 : 1;
  await until(() => (requests().length >= before + wanted ? true : null), "the upstream is asked");
  if (words > 0) {
    let seen = 0;
    for await (const frame of frames(await asked)) {
      if (/"content":"[^"]/.test(frame) && ++seen === words) break;
    }
  }
  const left = performance.now();
  leaving.abort();
  const running = requests().findLast(({ ended }) => ended === null || ended.at > left);
  const ended = await until(() => running?.ended ?? null, "the upstream's connection is closed");
  expect(ended.how).toBe("left");
  await pair.covey.app.store.caughtUp();
  const [latest] = await pair.covey.app.store.calls.listCalls({ limit: 1 });
  const row = await endedRow(pair.covey, latest?.id ?? "");
  expect(row).toMatchObject({
    model,
    status: "cancelled",
    http_status: 499,
    error: "client_closed",
  });
  expect(row.completion_tokens).toBeGreaterThanOrEqual(words);
  expect(row.completion_tokens).toBeLessThan(60);
  return ended.at - left;
}

test("during the pause before another attempt: there is none", async () => {
  const leaving = new AbortController();
  const asked = post(
    `${pair.covey.url}/v1/chat/completions`,
    chatBody("alone/status-500", "pausing"),
    {
      signal: leaving.signal,
    },
  );
  asked.catch(() => undefined);
  await until(() => (pair.first.asked("pausing") === 2 ? true : null), "it was tried twice");
  leaving.abort();
  await until(async () => {
    await pair.covey.app.store.caughtUp();
    const [row] = await pair.covey.app.store.calls.listCalls({ limit: 1 });
    return row?.model === "alone/status-500" && row.status === "cancelled" ? true : null;
  }, "the call is recorded as cancelled");
  // Longer than the pause that it was in.
  await Bun.sleep(1500);
  expect(pair.first.asked("pausing")).toBe(2);
});
