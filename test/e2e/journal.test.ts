import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CallRow, type CounterRow, openCallsReadonly } from "../../src/store/index.ts";
import { type CoveyProcess, spawnCovey, startCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { load, type Seen, TEXT } from "./load.ts";
import { chatBody, FAKE_KEY, fakeConfig, post, until } from "./wire.ts";

/** No call is lost and none is counted twice, whatever happens to the process. */

const ROUNDS = 20;
/** Progress is journaled every second; the rest is for a machine that is busy. */
const PROGRESS_LAG_MS = 2000;
const NO_LIMITS = "[limits.anonymous]\nrequests_per_minute = 0\nconcurrency = 0\n";

let upstream: FakeUpstream;
let folder: string;
let home: string;
let file: string;

beforeEach(() => {
  upstream = fakeUpstream();
  folder = mkdtempSync(join(tmpdir(), "covey-journal-"));
  home = join(folder, "home");
  file = join(folder, "covey.toml");
  writeFileSync(file, fakeConfig(upstream, ["echo", "endless-20", "gap-15"], NO_LIMITS));
});
afterEach(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

test(`killed ${ROUNDS} times under load, it has every call exactly once, with what it had used`, async () => {
  const seen: Seen[] = [];
  let known = 0;
  let covey: CoveyProcess | null = null;
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      covey = await spawnCovey(["--home", home, "--config", file], { FAKE_KEY });
      if (round > 0) await expectEnded(seen.slice(known));
      known = seen.length;
      if (round === ROUNDS) break;
      const { seen: now, over } = load(covey.url);
      // Killed at another moment each time, while it begins to answer or long into it.
      await Bun.sleep(round % 2 === 0 ? 30 + round * 35 : 2200 + round * 50);
      covey.kill("SIGKILL");
      const killedAt = performance.now();
      expect(await covey.exited).toBe(137);
      await over;
      seen.push(...now.map((call) => beforeKill(call, killedAt)));
    }
    expect(seen.length).toBeGreaterThan(ROUNDS * 8);
    expect(seen.filter(({ whole }) => whole).length).toBeGreaterThan(ROUNDS * 4);
    expect(seen.filter(({ whole, pieces }) => !whole && pieces.length > 5).length).toBeGreaterThan(
      20,
    );
    covey?.kill("SIGTERM");
    expect(await covey?.exited).toBe(0);
    await expectSums(seen);
  } finally {
    await covey?.end();
  }
}, 180_000);

/** What had come so long before the kill that the journal must know of it. */
function beforeKill(call: Seen, killedAt: number): Seen {
  return { ...call, pieces: call.pieces.filter((at) => at < killedAt - PROGRESS_LAG_MS) };
}

/** After a restart: whole answers are completed, the others interrupted, with the usage they had reached. */
async function expectEnded(seen: readonly Seen[]): Promise<void> {
  const calls = await until(opened, "the database is there");
  try {
    for (const call of seen) {
      const row = await until(async () => {
        const found = await calls.getCall(call.id);
        return found === null || found.status === "running" ? null : found;
      }, `${call.id} has ended`);
      expect(row).toMatchObject({ model: call.model, calls: 1 });
      if (call.whole) {
        const completion_tokens = TEXT.split(" ").length;
        expect(row).toMatchObject({ status: "completed", http_status: 200, completion_tokens });
      } else {
        // The last bytes of an answer can be lost on the way after it was settled.
        expect(["interrupted", "completed"]).toContain(row.status);
        if (call.model === "endless-20") expect(row.status).toBe("interrupted");
        expect(row.completion_tokens).toBeGreaterThanOrEqual(call.pieces.length);
      }
    }
  } finally {
    await calls.close();
  }
}

/** The database is made in the background: a server killed at once, or just started, may have none yet. */
async function opened(): Promise<Awaited<ReturnType<typeof openCallsReadonly>> | null> {
  if (!existsSync(join(home, "covey.db"))) return null;
  const calls = await openCallsReadonly(home);
  try {
    await calls.listCalls({ limit: 1 });
    return calls;
  } catch (error) {
    await calls.close();
    if (String(error).includes("no such table")) return null;
    throw error;
  }
}

async function expectSums(seen: readonly Seen[]): Promise<void> {
  const calls = await openCallsReadonly(home);
  try {
    const rows = await allRows(calls.listCalls);
    const ids = new Set(rows.map(({ id }) => id));
    expect(ids.size).toBe(rows.length);
    expect(seen.filter(({ id }) => !ids.has(id))).toEqual([]);
    expect(new Set(rows.map(({ status }) => status))).toEqual(
      new Set(["completed", "interrupted", "refused"]),
    );
    expect(sums(await calls.counters())).toEqual(sums(rows));
  } finally {
    await calls.close();
  }
}

async function allRows(
  list: (options: { limit: number; before?: string }) => Promise<CallRow[]>,
): Promise<CallRow[]> {
  const rows: CallRow[] = [];
  for (;;) {
    const last = rows.at(-1);
    const page = await list(
      last === undefined ? { limit: 1000 } : { limit: 1000, before: last.id },
    );
    rows.push(...page);
    if (page.length < 1000) return rows;
  }
}

/** Calls and tokens by status and endpoint. Counters hold paths that are none of ours as `(unknown)`. */
function sums(rows: readonly (CallRow | CounterRow)[]): Record<string, number[]> {
  const all: Record<string, number[]> = {};
  for (const row of rows) {
    const endpoint = row.endpoint === "/v1/nothing" ? "(unknown)" : row.endpoint;
    const [calls = 0, prompt = 0, completion = 0] = all[`${row.status} ${endpoint}`] ?? [];
    all[`${row.status} ${endpoint}`] = [
      calls + row.calls,
      prompt + row.prompt_tokens,
      completion + row.completion_tokens,
    ];
  }
  return Object.fromEntries(Object.entries(all).sort());
}

test("refused calls are in the log, each with its status; a flood of them is counted, not listed", async () => {
  const key = "sk-admin-fedcba9876543210fedcba98";
  const toml = fakeConfig(upstream, ["echo"], "[limits.anonymous]\nrequests_per_minute = 1\n");
  const covey = await startCovey({ toml, env: { FAKE_KEY, COVEY_ADMIN_KEY: key } });
  try {
    const chat = (body: object, headers: Record<string, string> = {}) =>
      post(`${covey.url}/v1/chat/completions`, body, { headers });
    const asked = [
      await chat(chatBody("echo", "hi", { n: 2 }), { "x-request-id": "mine" }),
      await chat(chatBody("echo", "hi"), { authorization: "Bearer sk-wrong-0123456789abcdef" }),
      await chat(chatBody("none", "hi")),
      await chat(chatBody("echo", "hi")),
      await chat(chatBody("echo", "hi")),
      await fetch(`${covey.url}/v1/nothing`),
    ];
    expect(asked.map(({ status }) => status)).toEqual([400, 401, 404, 200, 429, 404]);
    await covey.app.store.caughtUp();
    const { calls } = covey.app.store;
    // Several arrive in one millisecond, so their order in the log says nothing.
    const rows = (await calls.listCalls({ limit: 100 })).sort(
      (a, b) => (a.http_status ?? 0) - (b.http_status ?? 0) || (a.endpoint < b.endpoint ? -1 : 1),
    );
    const one = { status: "refused", key_id: "anonymous", calls: 1, completion_tokens: 0 };
    const endpoint = "/v1/chat/completions";
    expect(rows).toMatchObject([
      { status: "completed", http_status: 200, model: "echo", endpoint },
      { ...one, http_status: 400, error: "invalid_request", request_id: "mine" },
      { ...one, http_status: 401, error: "invalid_api_key", key_id: "unknown", endpoint },
      { ...one, http_status: 404, error: "model_not_found", model: "none", endpoint },
      { ...one, http_status: 404, error: "not_found", endpoint: "/v1/nothing" },
      { ...one, http_status: 429, error: "rate_limit_exceeded", model: "echo", endpoint },
    ]);

    const flood = 3000;
    const many = Array.from({ length: flood }, (_, i) => fetch(`${covey.url}/x/${i % 1500}`));
    for (const answer of await Promise.all(many)) expect(answer.status).toBe(404);
    // The flood and the one unknown path before it; in the counters they are one.
    const unknown = flood + 1;
    const counted = await until(async () => {
      await covey.app.store.caughtUp();
      const counters = (await calls.counters()).filter(({ endpoint: at }) => at === "(unknown)");
      return sum(counters) < unknown ? null : counters;
    }, "the flood is counted");
    const listed = (await allRows(calls.listCalls)).filter(({ error }) => error === "not_found");
    expect([sum(counted), sum(listed)]).toEqual([unknown, unknown]);
    // Twenty a second stand alone, the rest is a row a second.
    expect(listed.length).toBeLessThan(flood / 4);
  } finally {
    await covey.close();
  }
}, 60_000);

const sum = (rows: readonly { readonly calls: number }[]) =>
  rows.reduce((total, { calls }) => total + calls, 0);
