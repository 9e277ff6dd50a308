import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "../../test/store/calls-fixture.ts";
import { HomeError, holderOf, openHome, tellAddress } from "./home.ts";

describe("the home folder", () => {
  test("is created with its subfolders, for its owner only", () => {
    using folder = tempFolder();
    const home = openHome(join(folder.path, "deep", "home"));
    for (const path of [home.path, home.journal, home.models]) {
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
    expect(readFileSync(join(home.path, "pid"), "utf8")).toBe(`${process.pid}\n`);
    home.release();
    expect(existsSync(join(home.path, "pid"))).toBe(false);
  });

  test("keeps the mode of a folder that was there", () => {
    using folder = tempFolder();
    const path = join(folder.path, "shared");
    mkdirSync(path, { mode: 0o755 });
    openHome(path).release();
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  test("is had by one at a time, and after a release by the next, garbage collection or not", () => {
    using folder = tempFolder();
    const first = openHome(folder.path);
    Bun.gc(true);
    expect(() => openHome(folder.path)).toThrow(
      `The home folder ${folder.path} is in use by process ${process.pid}. Stop it, or start with another --home.`,
    );
    first.release();
    openHome(folder.path).release();
  });

  test("says who has it and where they listen, and takes nothing by telling", () => {
    using folder = tempFolder();
    expect(holderOf(folder.path)).toBeNull();
    const home = openHome(folder.path);
    expect(holderOf(folder.path)).toEqual({ who: `process ${process.pid}`, address: null });
    tellAddress(folder.path, "127.0.0.1:8080");
    expect(holderOf(folder.path)?.address).toBe("127.0.0.1:8080");
    home.release();
    expect(holderOf(folder.path)).toBeNull();
    // A process that died left its files: nobody has the folder all the same.
    tellAddress(folder.path, "127.0.0.1:8080");
    expect(holderOf(folder.path)).toBeNull();
    openHome(folder.path).release();
  });

  test("that cannot be one says so in a HomeError", () => {
    using folder = tempFolder();
    const file = join(folder.path, "file");
    writeFileSync(file, "");
    expect(() => openHome(join(file, "home"))).toThrow(HomeError);
  });
});
