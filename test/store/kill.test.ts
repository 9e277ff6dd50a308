import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/store/index.ts";
import { decode } from "../../src/store/record.ts";
import { listSegments, segmentPath } from "../../src/store/segment.ts";
import { tempFolder } from "./calls-fixture.ts";

const CHILD = join(import.meta.dir, "child-calls.ts");

interface Expected {
  status: "completed" | "interrupted";
  completionTokens: number;
}

/** What the journal of a killed process says of its calls: the oracle the database is held against. */
function journalled(dir: string): Map<string, Expected> {
  const calls = new Map<string, Expected>();
  const last = listSegments(dir).at(-1) ?? 0;
  for (const record of decode(readFileSync(segmentPath(dir, last)), true).records) {
    if (record.t === "reserve") {
      calls.set(record.id, { status: "interrupted", completionTokens: 0 });
    } else if (record.t === "settle") {
      const { completionTokens } = record;
      calls.set(record.id, { status: "completed", completionTokens });
    } else if (record.t === "progress") {
      for (const [id, , completionTokens] of record.calls) {
        if (calls.get(id)?.status === "interrupted") {
          calls.set(id, { status: "interrupted", completionTokens });
        }
      }
    }
  }
  return calls;
}

/** Runs the child, kills it after a while at full speed, and returns what it had acknowledged. */
async function killedUnderLoad(home: string, afterMs: number) {
  const child = Bun.spawn([process.execPath, CHILD, home], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    if (text === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
    text += decoder.decode(value, { stream: true });
  }
  await child.exited;
  // The last line may have been cut by the kill.
  const lines = text.slice(0, text.lastIndexOf("\n")).split("\n");
  const acknowledged = (kind: string) =>
    lines.filter((line) => line.startsWith(kind)).map((line) => line.slice(2));
  return { reserved: acknowledged("R "), settled: acknowledged("S ") };
}

test("twenty times kill -9 at full speed: every acknowledged call is in the log once, as it ended", async () => {
  using folder = tempFolder();
  let rows = 0;
  let interruptedWithUsage = 0;
  for (let round = 0; round < 20; round++) {
    const { reserved, settled } = await killedUnderLoad(folder.path, 40 + round * 8);
    const expected = journalled(join(folder.path, "journal"));
    expect(reserved.length).toBeGreaterThan(0);
    expect(reserved.filter((id) => !expected.has(id))).toEqual([]);
    expect(settled.filter((id) => expected.get(id)?.status !== "completed")).toEqual([]);

    const store = openStore({ home: folder.path, durability: "process", version: "test" });
    expect(await store.caughtUp()).toBe(true);
    const found = new Map<string, Expected>();
    for (let before: string | null = null; found.size < expected.size; ) {
      const page = await store.calls.listCalls(
        before === null ? { limit: 1000 } : { limit: 1000, before },
      );
      for (const row of page) {
        const { id, status, completion_tokens: completionTokens } = row;
        if (status !== "completed" && status !== "interrupted") throw new Error(`${id} ${status}`);
        if (expected.has(id)) found.set(id, { status, completionTokens });
        if (status === "interrupted" && completionTokens > 0) interruptedWithUsage++;
      }
      before = page.at(-1)?.id ?? null;
      if (before === null) break;
    }
    expect(found).toEqual(expected);
    rows += expected.size;
    const counted = (await store.calls.counters()).reduce((sum, row) => sum + row.calls, 0);
    expect(counted).toBe(rows);
    await store.close();
  }
  expect(interruptedWithUsage).toBeGreaterThan(0);
}, 120_000);
