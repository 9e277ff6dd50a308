import { expect, test } from "bun:test";
import { openStore } from "../../src/store/index.ts";
import { refusalOf, tempFolder } from "./calls-fixture.ts";

test("a flood of 50,000 refused calls is a few rows, and every call of it is counted", async () => {
  using folder = tempFolder();
  const store = openStore({ home: folder.path, durability: "process", version: "test" });
  const started = Date.now();
  for (let n = 0; n < 50_000; n++) {
    const refusal =
      n % 5 === 0
        ? refusalOf(`r${n}`, { httpStatus: 401, error: "invalid_api_key", model: null })
        : refusalOf(`r${n}`, { model: `made-up/${n}` });
    store.ledger.refuse(refusal);
    if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = Math.ceil((Date.now() - started) / 1000) + 1;
  await store.close();

  const again = openStore({ home: folder.path, durability: "process", version: "test" });
  expect(await again.caughtUp()).toBe(true);
  const rows = await again.calls.listCalls({ limit: 1000 });
  expect(rows.length).toBeLessThanOrEqual(seconds * (20 + 2));
  expect(rows.every((row) => row.status === "refused")).toBe(true);
  expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(50_000);
  const counters = await again.calls.counters();
  const counted = (status: string) =>
    counters.filter((row) => row.error === status).reduce((sum, row) => sum + row.calls, 0);
  expect(counted("invalid_api_key")).toBe(10_000);
  expect(counted("model_not_found")).toBe(40_000);
  // What strangers type does not multiply the counters.
  expect(counters.every((row) => row.model === "")).toBe(true);
  await again.close();
}, 20_000);

test("30,000 made-up paths are one row a second besides those that stand alone, and one counter a minute", async () => {
  using folder = tempFolder();
  const store = openStore({ home: folder.path, durability: "process", version: "test" });
  const started = Date.now();
  for (let n = 0; n < 30_000; n++) {
    const endpoint = `/x${n}/${"p".repeat(200)}`;
    store.ledger.refuse(refusalOf(`r${n}`, { endpoint, known: false, error: "not_found" }));
    if (n % 300 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = Math.ceil((Date.now() - started) / 1000) + 1;
  await store.close();

  const again = openStore({ home: folder.path, durability: "process", version: "test" });
  expect(await again.caughtUp()).toBe(true);
  const rows = await again.calls.listCalls({ limit: 1000 });
  expect(rows.length).toBeLessThanOrEqual(seconds * (20 + 1));
  expect(rows.filter((row) => row.endpoint.startsWith("/x0/"))).toMatchObject([{ calls: 1 }]);
  const counters = await again.calls.counters();
  expect(counters.every((row) => row.endpoint === "(unknown)")).toBe(true);
  expect(counters.length).toBeLessThanOrEqual(Math.ceil(seconds / 60) + 1);
  expect(counters.reduce((sum, row) => sum + row.calls, 0)).toBe(30_000);
  await again.close();
}, 20_000);
