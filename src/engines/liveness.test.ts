import { expect, test } from "bun:test";
import { Liveness } from "./liveness.ts";

/** Watches somebody who answers every ping while `alive`; resolves when it is given up. */
function watch(patience: () => number | null, alive: () => boolean) {
  const silent = Promise.withResolvers<void>();
  let pings = 0;
  const liveness: Liveness = new Liveness(1, {
    patience,
    ping: () => {
      pings++;
      if (alive()) liveness.sign();
    },
    onSilent: silent.resolve,
  });
  return { liveness, silent: silent.promise, pings: () => pings };
}

test("who is silent for as long as it may be is given up, after being asked all the while", async () => {
  const { silent, pings } = watch(
    () => 20,
    () => false,
  );
  await silent;
  expect(pings()).toBe(20);
});

test("who answers is not given up, nor who has nothing to do", async () => {
  let busy = true;
  let alive = true;
  let looks = 0;
  const patience = () => {
    looks++;
    return busy ? 5 : null;
  };
  const { silent, pings } = watch(patience, () => alive);
  let given = false;
  silent.then(() => {
    given = true;
  });
  while (pings() < 30) await Bun.sleep(1);
  alive = false;
  busy = false;
  for (const until = looks + 20; looks < until; ) await Bun.sleep(1);
  expect(given).toBe(false);
  busy = true;
  await silent;
});
