import { afterAll, beforeAll, expect, test } from "bun:test";
import { startStarterCovey, type TestCovey } from "../../covey.ts";
import { ADMIN_KEY, chat, makeKey } from "../keys/made.ts";

/** One key that floods and three that ask one request at a time, at an embedded model that writes two answers at once. */

let covey: TestCovey;

beforeAll(async () => {
  covey = await startStarterCovey({
    toml: "[engine]\npreload = false\nsequences = 2\nmax_queue = 8\n",
    env: { COVEY_ADMIN_KEY: ADMIN_KEY },
  });
}, 180_000);
afterAll(async () => {
  await covey.close();
});

const TURNS = 6;
const FLOOD = 12;

test("each of the four gets its part of the model, though the flood fills the line", async () => {
  const keys = await Promise.all([0, 1, 2, 3].map(() => makeKey(covey)));
  const answered = keys.map(() => 0);
  let done = false;
  const ask = async (key: string, index: number): Promise<void> => {
    while (!done) {
      const answer = await chat(covey, key, "tinyllama", { max_tokens: 2 });
      await answer.text();
      if (done) return;
      if (answer.status === 200) answered[index] = (answered[index] ?? 0) + 1;
      // Who is refused comes again, but not thousands of times a second.
      else await Bun.sleep(20);
      if (answered.reduce((sum, count) => sum + count, 0) >= TURNS * 4) done = true;
    }
  };
  await (await chat(covey, keys[0]?.key ?? "", "tinyllama", { max_tokens: 1 })).text();
  await Promise.all(
    keys.flatMap(({ key }, index) =>
      Array.from({ length: index === 0 ? FLOOD : 1 }, () => ask(key, index)),
    ),
  );
  for (const count of answered) expect(count).toBeGreaterThanOrEqual(Math.floor(TURNS * 0.8));
}, 120_000);
