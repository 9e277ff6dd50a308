/** Reserves and settles calls at full speed until it is killed; says on stdout what was acknowledged. */
import { writeSync } from "node:fs";
import { openStore } from "../../src/store/index.ts";
import { meter, reserveOf, settleOf } from "./calls-fixture.ts";

const [home = "", databaseUrl] = process.argv.slice(2);
const store = openStore({
  home,
  durability: "process",
  version: "test",
  progressMs: 10,
  databaseUrl: databaseUrl ?? null,
});

async function one(lane: number): Promise<void> {
  for (;;) {
    const id = Bun.randomUUIDv7();
    const used = meter();
    await store.ledger.reserve(reserveOf(id), used);
    writeSync(1, `R ${id}\n`);
    // Every other lane runs calls long enough to be told about while they run.
    for (let tokens = 1; tokens <= (lane % 2) * 30; tokens++) {
      Object.assign(used, { promptTokens: 3, completionTokens: tokens, source: "counted" });
      await Bun.sleep(1);
    }
    await store.ledger.settle(settleOf(id));
    writeSync(1, `S ${id}\n`);
    // A minute of restarts must fit into one segment of the journal.
    if (databaseUrl !== undefined) await Bun.sleep(2);
  }
}

await Promise.all(Array.from({ length: 20 }, (_, lane) => one(lane)));
