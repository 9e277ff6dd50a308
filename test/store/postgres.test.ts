import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/store/index.ts";
import { hasPostgres, Postgres, postgresDatabase } from "../postgres.ts";
import { meter, reserveOf, settleOf, tempFolder, until } from "./calls-fixture.ts";
import { Killed, makeCalls } from "./killed.ts";

function open(home: string, databaseUrl: string, maxJournalBytes = 0) {
  return openStore({ home, durability: "process", version: "test", databaseUrl, maxJournalBytes });
}

async function call(store: ReturnType<typeof open>, id: string): Promise<void> {
  await store.ledger.reserve(reserveOf(id), meter());
  await store.ledger.settle(settleOf(id));
}

test.skipIf(!hasPostgres)(
  "while PostgreSQL crashes and comes back, again and again, calls go on and each is in the log once",
  async () => {
    using folder = tempFolder();
    const postgres = await Postgres.start();
    const killed = new Killed(join(folder.path, "home"), await postgres.database());
    for (let round = 0; round < 3; round++) {
      await killed.round(1500, async () => {
        await Bun.sleep(round * 150);
        await postgres.crash();
        await Bun.sleep(100);
        await postgres.run();
      });
    }
    expect(killed.rows).toBeGreaterThan(1000);
    await postgres.stop();
  },
  120_000,
);

test.skipIf(!hasPostgres)(
  "with PostgreSQL away calls go on until the journal's bound, then get 503; it catches up and they go on",
  async () => {
    using folder = tempFolder();
    const postgres = await Postgres.start();
    const url = await postgres.database();
    const store = open(join(folder.path, "home"), url, 200_000);
    await call(store, "before");
    expect(await store.caughtUp(20_000)).toBe(true);
    await postgres.crash();

    let accepted = 1;
    let refused: unknown = null;
    await store.ledger.reserve(reserveOf("running"), meter());
    for (; refused === null; ) {
      await call(store, `c${accepted}`).then(
        () => accepted++,
        (error: unknown) => {
          refused = error;
        },
      );
    }
    expect(refused).toMatchObject({ kind: "unavailable", status: 503 });
    expect(accepted).toBeGreaterThan(100);
    await store.ledger.settle(settleOf("running"));
    await until(() => store.health().detail?.includes("connect") === true);
    expect(store.health().ok).toBe(false);
    expect(store.health().detail).toContain("bytes of journal wait for the database");
    expect(store.health().detail).not.toContain(url);

    await postgres.run();
    await until(() => store.health().ok);
    await call(store, "after");
    expect(await store.caughtUp(20_000)).toBe(true);
    expect(store.health()).toEqual({ ok: true, detail: null, lagBytes: 0 });
    const counted = (await store.calls.counters()).reduce((sum, row) => sum + row.calls, 0);
    expect(counted).toBe(accepted + 2);
    expect(await store.calls.getCall("running")).toMatchObject({ status: "completed" });
    await store.close();
    await postgres.stop();
  },
  60_000,
);

test.skipIf(!hasPostgres)(
  "two gateways on one PostgreSQL have a log each their own, and a restart interrupts its own calls only",
  async () => {
    using folder = tempFolder();
    const url = await postgresDatabase();
    const homes = ["a", "b"].map((name) => join(folder.path, name));
    const [a = "", b = ""] = homes;
    const first = open(a, url);
    await first.ledger.reserve(reserveOf("runs on a"), meter());
    expect(await first.caughtUp(20_000)).toBe(true);

    const calls = makeCalls(b, url);
    await calls.begun;
    for (let n = 0; n < 500; n++) await call(first, `a${n}`);
    await Bun.sleep(200);
    const acknowledged = await calls.kill();
    // The one that was killed starts again: what it was doing is interrupted, what the other does is not.
    const second = open(b, url);
    expect(await second.caughtUp(20_000)).toBe(true);
    expect(await first.caughtUp(20_000)).toBe(true);
    expect(await first.calls.getCall("runs on a")).toMatchObject({ status: "running" });
    const counters = await first.calls.counters();
    const counted = (status: string) =>
      counters.filter((row) => row.status === status).reduce((sum, row) => sum + row.calls, 0);
    const { settled, reserved } = acknowledged;
    expect(counted("completed")).toBeGreaterThanOrEqual(500 + settled.length);
    expect(counted("completed") + counted("interrupted")).toBeGreaterThanOrEqual(
      500 + reserved.length,
    );
    expect(counted("interrupted")).toBeLessThanOrEqual(20);
    await second.close();
    await first.ledger.settle(settleOf("runs on a"));
    expect(await first.caughtUp(20_000)).toBe(true);
    expect(await first.calls.getCall("runs on a")).toMatchObject({ status: "completed" });
    await first.close();
    for (const home of homes) {
      expect(readdirSync(home)).toContain("gateway-id");
      expect(readdirSync(home)).not.toContain("covey.db");
    }
  },
  60_000,
);
