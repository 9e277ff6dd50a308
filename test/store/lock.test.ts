import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { HomeError, openStore } from "../../src/store/index.ts";
import { tempFolder } from "./calls-fixture.ts";

const CHILD = join(import.meta.dir, "child-holds-home.ts");

async function holder(home: string) {
  const child = Bun.spawn([process.execPath, CHILD, home], { stdout: "pipe", stderr: "pipe" });
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value) };
}

test("a home folder in use is refused by the name of the process that has it, and not touched; kill -9 frees it", async () => {
  using folder = tempFolder();
  const { child, said } = await holder(folder.path);
  expect(said).toBe("held\n");
  const files = readdirSync(join(folder.path, "journal"));

  const open = () => openStore({ home: folder.path, durability: "process", version: "test" });
  expect(open).toThrow(HomeError);
  expect(open).toThrow(
    `The home folder ${folder.path} is in use by process ${child.pid}. Stop it, or start with another --home.`,
  );
  const second = Bun.spawnSync([process.execPath, CHILD, folder.path]);
  expect(second.exitCode).not.toBe(0);
  expect(second.stderr.toString()).toContain(`in use by process ${child.pid}`);
  expect(readdirSync(join(folder.path, "journal"))).toEqual(files);

  child.kill("SIGKILL");
  await child.exited;
  const store = open();
  expect(await store.caughtUp()).toBe(true);
  await store.close();
}, 20_000);
