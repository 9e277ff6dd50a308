import { expect, test } from "bun:test";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openStore, type StoreOptions } from "../../src/store/index.ts";
import { listSegments, segmentPath } from "../../src/store/segment.ts";
import { tempFolder } from "./calls-fixture.ts";

/** What a start says of the journal that the last process left. */

type Told = Parameters<NonNullable<StoreOptions["found"]>>[0];

/** Opens the store, and gives what it has found and what its health says once all of it is read. */
async function opened(home: string): Promise<{ found: Told[]; detail: string | null }> {
  const found: Told[] = [];
  const store = openStore({
    ...{ home, durability: "process", version: "test" },
    found: (what) => found.push(what),
  });
  expect(await store.caughtUp()).toBe(true);
  const { detail } = store.health();
  await store.close();
  return { found, detail };
}

/** The newest segment of a home that is closed. */
function newest(home: string): string {
  const dir = join(home, "journal");
  return segmentPath(dir, listSegments(dir).at(-1) ?? 0);
}

test("the beginning of a record, as kill -9 leaves it, is told once and is no damage", async () => {
  using home = tempFolder();
  await opened(home.path);
  const file = newest(home.path);
  const record = readFileSync(file);
  appendFileSync(file, record.subarray(0, record.length - 5));
  const bytes = record.length - 5;
  expect(await opened(home.path)).toEqual({ found: [{ kind: "torn", bytes }], detail: null });
  expect(await opened(home.path)).toEqual({ found: [], detail: null });
});

test("damage is told as damage, by the process that has found it", async () => {
  using home = tempFolder();
  await opened(home.path);
  const file = newest(home.path);
  const record = readFileSync(file);
  const damaged = Buffer.from(record);
  damaged[20] = (damaged[20] ?? 0) ^ 1;
  writeFileSync(file, Buffer.concat([record, damaged, record]));
  const detail = `${record.length} bytes of journal were damaged and skipped`;
  expect(await opened(home.path)).toEqual({ found: [], detail });
  expect(await opened(home.path)).toEqual({ found: [], detail: null });
});

test("a home whose gateway-id was copied reads its own journal, whole, and says so", async () => {
  using one = tempFolder();
  using other = tempFolder();
  await opened(one.path);
  await opened(other.path);
  for (const name of ["covey.db", "gateway-id"])
    writeFileSync(join(other.path, name), readFileSync(join(one.path, name)));
  // More than the first one's position says, so that it lies in the middle of a record.
  const file = newest(other.path);
  const record = readFileSync(file);
  writeFileSync(file, Buffer.concat([record, record]));
  expect(await opened(other.path)).toEqual({ found: [{ kind: "restarted" }], detail: null });
});
