import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Home, openHome } from "../../src/store/home.ts";
import { openStore } from "../../src/store/index.ts";
import { Projection } from "../../src/store/projection/client.ts";
import { meter, reserveOf, settleOf, tempFolder, until } from "./calls-fixture.ts";

/** The projection of a home folder into its SQLite file. */
function projectionOf({ journal, database, gateway }: Home, script?: string): Projection {
  const keep = { callsMs: 0, minutesMs: 0, hoursMs: 0, daysMs: 0, maxBytes: 0, refusedRows: 0 };
  return new Projection({ journal, place: { database, gateway }, keep }, script);
}

/** The longest time, in milliseconds, that nothing could run on this thread during `work`. */
async function longestStall(work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5);
  await work;
  clearInterval(timer);
  return Math.max(longest, performance.now() - last);
}

test("a query of seconds leaves this thread free", async () => {
  using folder = tempFolder();
  const home = openHome(folder.path);
  const projection = projectionOf(home);
  await projection.query("SELECT 1", []);
  const started = performance.now();
  const long = projection.query(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
      SELECT count(*) AS counted FROM n`,
    [8_000_000],
  );
  const stall = await longestStall(long);
  expect(await long).toEqual([{ counted: 8_000_000 }]);
  expect(stall).toBeLessThan((performance.now() - started) / 2);
  await projection.close(5000);
  home.release();
}, 60_000);

test("a query cannot change the call log", async () => {
  using folder = tempFolder();
  const home = openHome(folder.path);
  const projection = projectionOf(home);
  await expect(projection.query("DELETE FROM minutes", [])).rejects.toThrow("readonly");
  await projection.close(5000);
  home.release();
});

test("while another process locks the database calls go on, health tells, and it catches up after", async () => {
  using folder = tempFolder();
  const store = openStore({ home: folder.path, durability: "process", version: "test" });
  expect(await store.caughtUp()).toBe(true);
  const other = new Database(store.home.database);
  other.run("BEGIN IMMEDIATE");

  const work = async () => {
    let n = 0;
    do {
      await store.ledger.reserve(reserveOf(`c${n}`), meter());
      await store.ledger.settle(settleOf(`c${n}`));
      n++;
      await Bun.sleep(1);
    } while (store.health().detail === null);
    return n;
  };
  const working = work();
  // The worker sits in SQLite's busy wait for a second; this thread does not.
  expect(await longestStall(working)).toBeLessThan(700);
  const calls = await working;
  expect(store.health()).toMatchObject({ ok: true });
  expect(store.health().detail).toContain("database is locked");
  expect(store.health().lagBytes).toBeGreaterThan(calls * 100);

  other.run("ROLLBACK");
  other.close();
  expect(await store.caughtUp(20_000)).toBe(true);
  expect(store.health()).toEqual({ ok: true, detail: null, lagBytes: 0 });
  const counted = (await store.calls.counters()).reduce((sum, row) => sum + row.calls, 0);
  expect(counted).toBe(calls);
  await store.close();
}, 60_000);

test("with a file that is no database calls go on, and all are in the log once it is gone", async () => {
  using folder = tempFolder();
  writeFileSync(join(folder.path, "covey.db"), "this is not a database".repeat(1000));
  const store = openStore({ home: folder.path, durability: "process", version: "test" });
  await store.ledger.reserve(reserveOf("a"), meter());
  await store.ledger.settle(settleOf("a"));
  await until(() => store.health().detail !== null);
  expect(store.health().detail).toContain("file is not a database");
  await expect(store.calls.getCall("a")).rejects.toThrow("file is not a database");

  rmSync(store.home.database);
  expect(await store.caughtUp(20_000)).toBe(true);
  expect(await store.calls.getCall("a")).toMatchObject({ status: "completed" });
  await store.close();
}, 60_000);

/** A script whose first life ends at its first message, and whose second is the real worker. */
function workerThatDiesOnce(folder: string): string {
  const script = join(folder, "dies-once.ts");
  const mark = JSON.stringify(join(folder, "mark"));
  const real = JSON.stringify(join(import.meta.dir, "../../src/store/projection/worker.ts"));
  writeFileSync(
    script,
    `import { existsSync, writeFileSync } from "node:fs";
    if (existsSync(${mark})) require(${real});
    else {
      writeFileSync(${mark}, "");
      self.onmessage = () => { throw new Error("struck by lightning"); };
    }`,
  );
  return script;
}

test("when the worker dies it is started again and goes on from the stored position", async () => {
  using folder = tempFolder();
  const home = openHome(folder.path);
  const projection = projectionOf(home, workerThatDiesOnce(folder.path));
  await until(() => projection.trouble !== null);
  expect(projection.trouble).toBe("The call log's database: struck by lightning");
  await until(() =>
    projection.query("SELECT 1 AS one", []).then(
      () => true,
      () => false,
    ),
  );
  await projection.close(5000);
  home.release();
}, 30_000);
