import { expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/store/index.ts";
import { meter, reserveOf, settleOf, tempFolder, until } from "./calls-fixture.ts";

/** A disk of 2 MiB; null where we may not mount one. */
function tinyDisk(path: string): Disposable | null {
  mkdirSync(path);
  const mount = Bun.which("mount");
  if (mount === null) return null;
  const mounted = Bun.spawnSync([mount, "-t", "tmpfs", "-o", "size=2m", "covey-test", path]);
  if (mounted.exitCode !== 0) return null;
  return {
    [Symbol.dispose]() {
      // Lazily: a test that failed leaves its store open, and the disk must go all the same.
      Bun.spawnSync(["umount", "-l", path]);
    },
  };
}

/** Writes zeros until the disk takes no more. */
function fill(path: string): void {
  const fd = openSync(path, "w");
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(fd);
  }
}

const probe = tempFolder();
const canMount = tinyDisk(join(probe.path, "probe"));
canMount?.[Symbol.dispose]();
probe[Symbol.dispose]();

test.skipIf(canMount === null)(
  "on a full disk new calls get 503 and running ones lose nothing; with space again all goes on",
  async () => {
    using folder = tempFolder();
    const path = join(folder.path, "disk");
    using _disk = tinyDisk(path);
    const store = openStore({ home: join(path, "home"), durability: "process", version: "test" });
    await store.ledger.reserve(reserveOf("before"), meter());
    expect(await store.caughtUp()).toBe(true);

    fill(join(path, "filler"));
    const accepted = ["before"];
    let refused: unknown = null;
    for (let n = 0; refused === null; n++) {
      await store.ledger.reserve(reserveOf(`c${n}`), meter()).then(
        () => accepted.push(`c${n}`),
        (error: unknown) => {
          refused = error;
        },
      );
    }
    expect(refused).toMatchObject({ kind: "unavailable", status: 503 });
    expect(store.health().ok).toBe(false);
    const settled = accepted.map((id) => store.ledger.settle(settleOf(id)));

    await Promise.all(settled); // Held in memory: no answer waits for the disk.
    rmSync(join(path, "filler"));
    await until(() => store.health().ok);
    await store.ledger.reserve(reserveOf("after"), meter());
    await store.ledger.settle(settleOf("after"));
    expect(await store.caughtUp(20_000)).toBe(true);
    expect(store.health()).toEqual({ ok: true, detail: null, lagBytes: 0 });
    const rows = await store.calls.listCalls({ limit: 1000 });
    expect(rows.map((row) => row.id).toSorted()).toEqual([...accepted, "after"].toSorted());
    expect(rows.every((row) => row.status === "completed")).toBe(true);
    await store.close();
  },
  60_000,
);
