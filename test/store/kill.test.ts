import { expect, test } from "bun:test";
import { join } from "node:path";
import { tempFolder } from "./calls-fixture.ts";
import { onBothDatabases } from "./databases.ts";
import { Killed } from "./killed.ts";

onBothDatabases("the log", (kind) => {
  test("after ten times kill -9 at full speed has every acknowledged call once, as it ended", async () => {
    using folder = tempFolder();
    const killed = new Killed(join(folder.path, "home"), await kind.url());
    for (let round = 0; round < 10; round++) await killed.round(40 + round * 16);
    expect(killed.interruptedWithUsage).toBeGreaterThan(0);
  }, 120_000);
});
