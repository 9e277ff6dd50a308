import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { holding } from "./exclusive.ts";

const CHILD = path.join(import.meta.dir, "../../test/catalog/child-takes-turns.ts");
let folder: string;
let children: Bun.Subprocess[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "covey-lock-"));
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    child.kill("SIGKILL");
    await child.exited;
  }
  await rm(folder, { recursive: true, force: true });
});

/** A process of its own that takes locks when it is told to. */
async function start() {
  const child = Bun.spawn([process.execPath, CHILD], { stdin: "pipe", stdout: "pipe" });
  children.push(child);
  const lines = linesOf(child.stdout);
  const hear = async () => (await lines.next()).value ?? "it ended";
  const say = async (...words: (string | number)[]) => {
    child.stdin.write(`${words.join("\t")}\n`);
    await child.stdin.flush();
  };
  expect(await hear()).toBe("ready");
  return { child, hear, say };
}

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

test("of two processes that start at the same moment exactly one gets it, forty times", async () => {
  const [one, two] = await Promise.all([start(), start()]);
  for (let round = 0; round < 40; round++) {
    const file = path.join(folder, `${round}.lock`);
    const at = Date.now() + 5;
    await Promise.all([one.say("once", file, at), two.say("once", file, at)]);
    const said = await Promise.all([one.hear(), two.hear()]);
    expect(said.filter((line) => line === "held")).toHaveLength(1);
    expect(said.filter((line) => /^another process( \(\d+\))? is here$/.test(line))).toHaveLength(
      1,
    );
    const winner = said[0] === "held" ? one : two;
    await winner.say("let go");
    expect(await winner.hear()).toBe("let go");
  }
  expect(await readdir(folder)).toEqual([]);
}, 60_000);

test("passed from hand to hand as fast as it goes, it is never in two", async () => {
  const both = await Promise.all([start(), start()]);
  const file = path.join(folder, "a.lock");
  await Promise.all(both.map((each) => each.say("often", file, 300)));
  expect(await Promise.all(both.map((each) => each.hear()))).toEqual(["done", "done"]);
  expect(await readdir(folder)).toEqual([]);
}, 60_000);

test("a living process's is left alone, and kill -9 frees it", async () => {
  const file = path.join(folder, "a.lock");
  const other = await start();
  await other.say("once", file, 0);
  expect(await other.hear()).toBe("held");
  const here = () => holding(file, "counting", async () => "mine");
  const pid = other.child.pid;
  await expect(here()).rejects.toThrow(new RegExp(`^another process( \\(${pid}\\))? is counting$`));
  other.child.kill("SIGKILL");
  await other.child.exited;
  expect(await here()).toBe("mine");
});

test("a process does not get it twice, and trying does not lose it", async () => {
  const file = path.join(folder, "a.lock");
  const other = await start();
  await holding(file, "here", async () => {
    await expect(holding(file, "here", async () => null)).rejects.toThrow("is already here");
    await other.say("once", file, 0);
    expect(await other.hear()).toBe(`another process (${process.pid}) is here`);
  });
  expect(await readdir(folder)).toEqual([]);
});

test("what a dead process left does not stop the next, whatever it holds", async () => {
  const file = path.join(folder, "a.lock");
  for (const left of ["", String(process.ppid), "nonsense"]) {
    await writeFile(file, left);
    expect(await holding(file, "here", async () => left)).toBe(left);
  }
});
