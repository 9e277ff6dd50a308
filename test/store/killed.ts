import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openStore, type Store } from "../../src/store/index.ts";
import { decode } from "../../src/store/record.ts";
import { listSegments, segmentPath } from "../../src/store/segment.ts";

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

/** A process that makes calls at full speed until it is killed. `acknowledged` is what it had been promised. */
export function makeCalls(home: string, url: string | null) {
  const child = Bun.spawn([process.execPath, CHILD, home, ...(url === null ? [] : [url])], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const begun = Promise.withResolvers<void>();
  const read = async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const bytes of child.stdout) {
      begun.resolve();
      text += decoder.decode(bytes, { stream: true });
    }
    await child.exited;
    // The last line may have been cut by the kill.
    const lines = text.slice(0, text.lastIndexOf("\n")).split("\n");
    const of = (kind: string) =>
      lines.filter((line) => line.startsWith(kind)).map((line) => line.slice(2));
    return { reserved: of("R "), settled: of("S ") };
  };
  const acknowledged = read();
  return {
    begun: begun.promise,
    async kill() {
      child.kill("SIGKILL");
      return await acknowledged;
    },
  };
}

/** The calls of one home folder, killed again and again, and what must be in the log of them. */
export class Killed {
  readonly #home: string;
  readonly #url: string | null;
  rows = 0;
  interruptedWithUsage = 0;

  constructor(home: string, url: string | null) {
    this.#home = home;
    this.#url = url;
  }

  /** Makes calls, kills their process after a while, and checks that each of them is in the log once. */
  async round(afterMs: number, meanwhile: () => Promise<unknown> = async () => undefined) {
    const calls = makeCalls(this.#home, this.#url);
    await calls.begun;
    await Promise.all([Bun.sleep(afterMs), meanwhile()]);
    await this.check(await calls.kill());
  }

  /** Checks what a killed process was promised against its journal, and that against the log. */
  async check(acknowledged: { reserved: readonly string[]; settled: readonly string[] }) {
    const { reserved, settled } = acknowledged;
    const expected = journalled(join(this.#home, "journal"));
    expect(reserved.length).toBeGreaterThan(0);
    expect(reserved.filter((id) => !expected.has(id))).toEqual([]);
    expect(settled.filter((id) => expected.get(id)?.status !== "completed")).toEqual([]);

    const store = openStore({
      home: this.#home,
      durability: "process",
      version: "test",
      databaseUrl: this.#url,
    });
    expect(await store.caughtUp(20_000)).toBe(true);
    expect(await this.#found(store, expected)).toEqual(expected);
    this.rows += expected.size;
    const counted = (await store.calls.counters()).reduce((sum, row) => sum + row.calls, 0);
    expect(counted).toBe(this.rows);
    await store.close();
  }

  async #found(store: Store, expected: ReadonlyMap<string, Expected>) {
    const found = new Map<string, Expected>();
    for (let before: string | null = null; found.size < expected.size; ) {
      const page = await store.calls.listCalls(
        before === null ? { limit: 1000 } : { limit: 1000, before },
      );
      for (const row of page) {
        const { id, status, completion_tokens: completionTokens } = row;
        if (status !== "completed" && status !== "interrupted") throw new Error(`${id} ${status}`);
        if (!expected.has(id)) continue;
        found.set(id, { status, completionTokens });
        if (status === "interrupted" && completionTokens > 0) this.interruptedWithUsage++;
      }
      before = page.at(-1)?.id ?? null;
      if (before === null) break;
    }
    return found;
  }
}
