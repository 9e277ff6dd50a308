import { expect, test } from "bun:test";
import { meter, reserveOf, settleOf, tempFolder } from "../../test/store/calls-fixture.ts";
import { openStore } from "./index.ts";

const DAY = 24 * 60;

test("a key has spent what its calls cost, in all and since a time; others' and unpriced calls don't count", async () => {
  using folder = tempFolder();
  const store = openStore({ home: folder.path, durability: "process", version: "0" });
  const { at: now } = reserveOf("x");
  const today = Math.floor(now / 86_400_000) * DAY;
  const call = async (id: string, keyId: string, daysAgo: number, nano: number | null) => {
    await store.ledger.reserve(reserveOf(id, { keyId, at: now - daysAgo * DAY * 60_000 }), meter());
    await store.ledger.settle(settleOf(id, { costNanoUsd: nano }));
  };
  await call("a", "mine", 0, 1_500_000_000);
  await call("b", "mine", 3, 250_000_000);
  await call("c", "mine", 60, 250_000_000);
  await call("d", "mine", 0, null);
  await call("e", "theirs", 0, 9_000_000_000);
  await store.caughtUp();
  const since = { day: today, week: today - 7 * DAY, month: today - 30 * DAY };
  expect(await store.calls.spent("mine", since)).toEqual({
    total: 2,
    day: 1.5,
    week: 1.75,
    month: 1.75,
  });
  expect(await store.calls.spent("nobody", since)).toEqual({ total: 0, day: 0, week: 0, month: 0 });
  await store.close();
});
