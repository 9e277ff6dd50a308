import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { fillCalls } from "../../bench/fill-calls.ts";
import { CSV_COLUMNS } from "../../src/http/export-calls.ts";
import { openDatabase } from "../../src/store/projection/database.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { tempFolder } from "../store/calls-fixture.ts";
import { ADMIN, ADMIN_KEY } from "./keys/made.ts";

/** An export of more calls than should ever be in memory at once. */

const CALLS = 100_000;
const MOST_GROWTH = 30e6;
/** Pieces between two looks at what is held. */
const LOOK_EVERY = 100;

const home = tempFolder();
let covey: TestCovey;

beforeAll(async () => {
  const database = await openDatabase(join(home.path, "covey.db"));
  await fillCalls(database, { calls: CALLS, days: 3, until: Date.now(), seed: 1 });
  await database.close();
  covey = await startCovey({ home: home.path, env: { COVEY_ADMIN_KEY: ADMIN_KEY } });
}, 120_000);
afterAll(async () => {
  await covey.close();
  home[Symbol.dispose]();
});

/** Bytes that are held and not only waiting to be collected. */
function held(): number {
  Bun.gc(true);
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Reads a file without keeping it: its lines, its bytes, and the most that was held meanwhile. */
async function read(format: string, pauseEvery: number) {
  const answer = await fetch(`${covey.url}/admin/v1/export/calls?format=${format}`, {
    headers: ADMIN,
  });
  expect(answer.status).toBe(200);
  const before = held();
  let lines = 0;
  let bytes = 0;
  let growth = 0;
  let pieces = 0;
  for await (const piece of answer.body ?? []) {
    bytes += piece.byteLength;
    for (const byte of piece) if (byte === 10) lines += 1;
    pieces += 1;
    if (pieces % LOOK_EVERY === 0) growth = Math.max(growth, held() - before);
    if (pieces % pauseEvery === 0) await Bun.sleep(1);
  }
  return { lines, bytes, growth };
}

test("every call is in the file once, and the file is never in memory", async () => {
  const csv = await read("csv", 20);
  expect(csv.lines).toBe(CALLS + 1);
  expect(csv.bytes).toBeGreaterThan(CALLS * CSV_COLUMNS.length);
  const ndjson = await read("ndjson", 20);
  expect(ndjson.lines).toBe(CALLS);
  expect(ndjson.bytes).toBeGreaterThan(50e6);
  expect(ndjson.growth).toBeLessThan(MOST_GROWTH);
}, 120_000);

test("a reader that leaves ends the export", async () => {
  const left = new AbortController();
  const answer = await fetch(`${covey.url}/admin/v1/export/calls?format=ndjson`, {
    headers: ADMIN,
    signal: left.signal,
  });
  await answer.body?.getReader().read();
  left.abort();
  const list = await fetch(`${covey.url}/admin/v1/calls?limit=1`, { headers: ADMIN });
  expect(list.status).toBe(200);
});
