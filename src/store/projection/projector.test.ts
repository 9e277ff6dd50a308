import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  refusalOf,
  reserveOf,
  settleOf,
  tempFolder,
  until,
} from "../../../test/store/calls-fixture.ts";
import { openCallsReadonly } from "../calls.ts";
import { Journal } from "../journal.ts";
import { Projector } from "./projector.ts";

/** Writes a journal that a projector follows, keeping 100 refused calls. */
async function follow(folder: string, texts: readonly object[]) {
  const keep = { callsMs: 0, minutesMs: 0, hoursMs: 0, daysMs: 0, maxBytes: 0, refusedRows: 100 };
  const place = { database: join(folder, "covey.db"), gateway: "g", process: "p" };
  const projector = new Projector(folder, place, () => undefined, keep);
  const journal = new Journal({
    dir: folder,
    durability: "process",
    onReadable: (end) => projector.readable(end),
  });
  await Promise.all(texts.map((text) => journal.append(JSON.stringify(text), "keep")));
  await journal.close();
  await until(() => Bun.file(join(folder, "covey.db")).size > 0);
  return { projector, calls: await openCallsReadonly(folder) };
}

test("of refused calls the newest rows are kept, of others all, and the counters count every one", async () => {
  using folder = tempFolder();
  const at = 29_000_000 * 60_000;
  const records: object[] = [];
  for (let n = 0; n < 3500; n++) {
    records.push({ t: "refuse", ...refusalOf(`r${n}`, { at: at + n }) });
    if (n % 10 === 0) {
      records.push({ t: "reserve", ...reserveOf(`c${n}`, { at: at + n }) });
      records.push({ t: "settle", ...settleOf(`c${n}`, { at: at + n }) });
    }
  }
  const { projector, calls } = await follow(folder.path, records);
  const rows = () => calls.listCalls({ limit: 1000 });
  await until(async () => (await rows().catch(() => [])).length === 100 + 350);
  const kept = (await rows()).filter((row) => row.status === "refused").map((row) => row.id);
  expect(kept).toEqual(Array.from({ length: 100 }, (_, n) => `r${3499 - n}`));
  const counted = (await calls.counters()).map((row) => [row.status, row.calls]).sort();
  expect(counted).toEqual([
    ["completed", 350],
    ["refused", 3500],
  ]);
  await projector.close();
  await calls.close();
});
