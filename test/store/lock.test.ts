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

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}

test("of two processes that open a home at the same moment exactly one gets it, forty times", async () => {
  using folder = tempFolder();
  const racer = join(import.meta.dir, "child-races-home.ts");
  const both = [0, 1].map(() => {
    const child = Bun.spawn([process.execPath, racer, folder.path], {
      stdin: "pipe",
      stdout: "pipe",
    });
    return { child, lines: linesOf(child.stdout) };
  });
  const hear = () => Promise.all(both.map(async ({ lines }) => (await lines.next()).value));
  expect(await hear()).toEqual(["ready", "ready"]);
  for (let round = 0; round < 40; round++) {
    const at = Date.now() + 5;
    for (const { child } of both) {
      child.stdin.write(`${at}\n`);
      await child.stdin.flush();
    }
    expect((await hear()).sort()).toEqual(["got it", "in use"]);
  }
  for (const { child } of both) {
    child.kill("SIGKILL");
    await child.exited;
  }
}, 60_000);
