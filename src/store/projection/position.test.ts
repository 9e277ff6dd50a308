import { expect, test } from "bun:test";
import { tempFolder } from "../../../test/store/calls-fixture.ts";
import { onBothDatabases } from "../../../test/store/databases.ts";
import { openDatabase } from "./database.ts";
import { ingest } from "./ingest.ts";
import { readPosition, TakenOver, takePosition } from "./position.ts";

const at = (offset: number) => ({ segment: 1, offset, skippedBytes: 0 });

onBothDatabases("the position", (kind) => {
  test("is each gateway's own", async () => {
    using folder = tempFolder();
    const database = await openDatabase(await kind.make(folder.path));
    const [a, b] = ["a", "b"].map((gateway) => ({ gateway, process: gateway, connection: "1" }));
    if (a === undefined || b === undefined) throw new Error("two gateways");
    await takePosition(database.sql, a, true);
    await takePosition(database.sql, b, true);
    await ingest({ ...database, owner: a }, [], at(10));
    await ingest({ ...database, owner: b }, [], at(20));
    expect(await readPosition(database.sql, "a")).toEqual(at(10));
    expect(await readPosition(database.sql, "b")).toEqual(at(20));
    await database.close();
  });

  test("is moved by the newest connection only: what an older one was doing comes to nothing", async () => {
    using folder = tempFolder();
    const database = await openDatabase(await kind.make(folder.path));
    const older = { gateway: "g", process: "p", connection: "1" };
    const newer = { gateway: "g", process: "p", connection: "2" };
    await takePosition(database.sql, older, true);
    await ingest({ ...database, owner: older }, [], at(10));
    expect(await takePosition(database.sql, newer, false)).toEqual(at(10));
    await expect(ingest({ ...database, owner: older }, [], at(20))).rejects.toThrow(
      "another connection",
    );
    await ingest({ ...database, owner: newer }, [], at(30));
    expect(await readPosition(database.sql, "g")).toEqual(at(30));
    await database.close();
  });

  test("that another process with the same id took is not taken back", async () => {
    using folder = tempFolder();
    const database = await openDatabase(await kind.make(folder.path));
    const mine = { gateway: "g", process: "mine", connection: "1" };
    await takePosition(database.sql, mine, true);
    await takePosition(database.sql, { ...mine, process: "a copy" }, true);
    const back = takePosition(database.sql, { ...mine, connection: "2" }, false);
    await expect(back).rejects.toThrow(TakenOver);
    await expect(back).rejects.toThrow("was its home folder copied?");
    await database.close();
  });
});
