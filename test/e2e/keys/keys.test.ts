import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { KeyItem } from "../../../src/contract/admin-keys.ts";
import { makeKeyText } from "../../../src/lib/key-text.ts";
import { startCovey, type TestCovey } from "../../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../../fake-upstream.ts";
import { allFiles } from "../files.ts";
import { callIdOf, chatBody, endedRow, FAKE_KEY, fakeConfig, frames, until } from "../wire.ts";
import { ADMIN, ADMIN_KEY, admin, bearer, chat, jsonOf, type Made, makeKey } from "./made.ts";

/** Keys that are made while the gateway runs: what they open, and how they end. */

const ENDED_WITHIN_MS = 1000;
const TOO_LONG = "contextlength-openai";
const MODELS = ["echo", "other", "endless-20", "slow-30000", TOO_LONG];
const PLANS = `[plans.small]
models = ["ech*"]
[routing.models."${TOO_LONG}"]
context_fallback = "echo"
`;

let upstream: FakeUpstream;
let covey: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  covey = await startCovey({
    toml: fakeConfig(upstream, MODELS, PLANS),
    env: { FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY },
  });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

type Told = { code: string; message: string; param: string | null };
const errorOf = async (answer: Response): Promise<Told> =>
  (await jsonOf<{ error: Told }>(answer)).error;
type Ids = { data: { id: string }[]; has_more: boolean };

describe("a key", () => {
  test("opens at once, by bearer or x-api-key, and its calls are logged as its own", async () => {
    const { id, key } = await makeKey(covey);
    expect(key).toMatch(/^sk-covey-\w{8}-\w{43}$/);
    const answer = await chat(covey, key, "echo");
    expect(answer.status).toBe(200);
    expect(await endedRow(covey, callIdOf(answer))).toMatchObject({ key_id: id });
    const other = await fetch(`${covey.url}/v1/models`, { headers: { "x-api-key": key } });
    expect(other.status).toBe(200);
  });

  test("is 401 with any character changed, cut off, or unknown; a typing error is told as one", async () => {
    const { key } = await makeKey(covey);
    const swapped = key.endsWith("0") ? "1" : "0";
    const wrong = [key.slice(0, -1) + swapped, key.slice(0, -1), `${key}0`];
    for (const text of wrong) {
      const answer = await chat(covey, text, "echo");
      expect(answer.status).toBe(401);
      expect((await errorOf(answer)).message).toContain("mistyped or cut off");
    }
    const other = makeKeyText(randomBytes).text;
    const samePrefix = key.slice(0, 18) + other.slice(18);
    for (const text of [other, samePrefix, key.replace("sk-", "SK-"), "anything"]) {
      expect((await chat(covey, text, "echo")).status).toBe(401);
    }
  });

  test("may only use the models on its list, by id or pattern, also as fallbacks", async () => {
    const { key } = await makeKey(covey, { models: ["ECHO", "end*"] });
    expect((await chat(covey, key, "echo")).status).toBe(200);
    const refused = await chat(covey, key, "other");
    expect(refused.status).toBe(403);
    expect(await errorOf(refused)).toMatchObject({ code: "model_not_allowed", param: "model" });
    const fallback = await chat(covey, key, "echo", { models: ["other"] });
    expect([fallback.status, (await errorOf(fallback)).param]).toEqual([403, "models"]);
    expect((await chat(covey, key, "nothing")).status).toBe(404);
  });

  test("gets no other model than its own for a prompt that is too long", async () => {
    const [narrow, wide] = [{ models: [TOO_LONG] }, { models: [TOO_LONG, "echo"] }];
    const refused = await chat(covey, (await makeKey(covey, narrow)).key, TOO_LONG);
    expect([refused.status, (await errorOf(refused)).code]).toEqual([
      400,
      "context_length_exceeded",
    ]);
    const answered = await chat(covey, (await makeKey(covey, wide)).key, TOO_LONG);
    expect(await jsonOf<{ model: string }>(answered)).toMatchObject({ model: "echo" });
  });

  test("that is revoked while its request is still being sent does not run on", async () => {
    const { id, headers } = await makeKey(covey);
    const body = JSON.stringify(chatBody("endless-20", "hi", { stream: true }));
    const sent = Promise.withResolvers<void>();
    const slow = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode(body.slice(0, 10)));
        await sent.promise;
        controller.enqueue(new TextEncoder().encode(body.slice(10)));
        controller.close();
      },
    });
    const url = `${covey.url}/v1/chat/completions`;
    const type = { "content-type": "application/json" };
    const asked = fetch(url, { method: "POST", headers: { ...headers, ...type }, body: slow });
    await admin(covey, `/${id}/revoke`, {});
    sent.resolve();
    const answer = await asked;
    const error = answer.status === 200 ? (await endOf(answer)).error : await errorOf(answer);
    expect(error).toMatchObject({ code: "invalid_api_key" });
  });

  test("sees in the list of models which of them are its own", async () => {
    const { headers } = await makeKey(covey, { models: ["other"] });
    const ids = async (query: string, base = "/v1/models"): Promise<Record<string, boolean>> => {
      const answer = await fetch(`${covey.url}${base}${query}`, { headers });
      const { data } = await jsonOf<{
        data: { id: string; available_on_current_plan: boolean }[];
      }>(answer);
      return Object.fromEntries(data.map((item) => [item.id, item.available_on_current_plan]));
    };
    expect(await ids("")).toMatchObject({ echo: false, other: true });
    expect(await ids("?available_on_current_plan=1")).toEqual({ other: true });
    expect(await ids("/user", "/api/v1/models")).toEqual({ other: true });
    const one = await fetch(`${covey.url}/v1/models/echo`, { headers });
    expect(await one.json()).toMatchObject({ available_on_current_plan: false });
  });

  test("of a plan is held to the plan's models too", async () => {
    const { key, headers } = await makeKey(covey, { plan: "small" });
    expect((await chat(covey, key, "echo")).status).toBe(200);
    expect(await errorOf(await chat(covey, key, "other"))).toMatchObject({
      code: "model_not_allowed",
    });
    const listed = await fetch(`${covey.url}/v1/models?available_on_current_plan=1`, { headers });
    expect((await jsonOf<Ids>(listed)).data.map(({ id }) => id)).toEqual(["echo"]);
  });

  test("may only use the endpoints on its list", async () => {
    const { key, headers } = await makeKey(covey, { endpoints: ["embeddings"] });
    const refused = await chat(covey, key, "echo");
    expect(refused.status).toBe(403);
    expect(await errorOf(refused)).toMatchObject({ code: "endpoint_not_allowed", param: null });
    expect((await fetch(`${covey.url}/v1/models`, { headers })).status).toBe(200);
  });

  test("that is disabled opens nothing until it is enabled; a revoked one never again", async () => {
    const { id, key } = await makeKey(covey);
    await admin(covey, `/${id}/disable`, {});
    const refused = await chat(covey, key, "echo");
    expect(refused.status).toBe(401);
    expect((await errorOf(refused)).message).toBe("This API key is disabled.");
    await admin(covey, `/${id}/enable`, {});
    expect((await chat(covey, key, "echo")).status).toBe(200);
    await admin(covey, `/${id}/revoke`, {});
    expect((await chat(covey, key, "echo")).status).toBe(401);
    expect((await admin(covey, `/${id}/enable`, {})).status).toBe(400);
    expect((await chat(covey, key, "echo")).status).toBe(401);
  });

  test("that has expired is 401, and its running stream ends", async () => {
    const expires_at = new Date(Date.now() + 700).toISOString();
    const { key } = await makeKey(covey, { expires_at });
    const { error, took } = await endOf(await chat(covey, key, "endless-20", { stream: true }));
    expect(error).toMatchObject({ code: "invalid_api_key", message: "This API key has expired." });
    expect(took).toBeLessThan(700 + ENDED_WITHIN_MS);
    expect((await chat(covey, key, "echo")).status).toBe(401);
  });
});

/** Reads a stream that is ended: its last event, and milliseconds until then. */
async function endOf(answer: Response): Promise<{ error: unknown; took: number; done: boolean }> {
  const began = performance.now();
  let last = "";
  for await (const frame of frames(answer)) if (frame.startsWith("data: ")) last = frame;
  const done = last === "data: [DONE]";
  return {
    error: done ? null : JSON.parse(last.slice(6)).error,
    took: performance.now() - began,
    done,
  };
}

describe("what runs when a key ends", () => {
  test.each(["disable", "revoke", "rotate"])(
    "%s: a stream ends with a 401 within a second",
    async (act) => {
      const { id, key } = await makeKey(covey);
      const answer = await chat(covey, key, "endless-20", { stream: true });
      const open = upstream.open;
      expect((await admin(covey, `/${id}/${act}`, {})).status).toBe(200);
      const { error, took } = await endOf(answer);
      expect(took).toBeLessThan(ENDED_WITHIN_MS);
      const doc_url = `${covey.url}/docs/keys`;
      expect(error).toMatchObject({
        ...{ type: "authentication_error", code: "invalid_api_key", doc_url },
      });
      const ended = { status: "failed", http_status: 401, error: "invalid_api_key", key_id: id };
      expect(await endedRow(covey, callIdOf(answer))).toMatchObject(ended);
      await until(() => (upstream.open < open ? true : null), "the upstream is let go");
    },
  );

  test("a whole answer that is waited for ends with a 401 too", async () => {
    const { id, key } = await makeKey(covey);
    const open = upstream.open;
    const waiting = chat(covey, key, "slow-30000");
    await until(() => (upstream.open > open ? true : null), "the upstream is asked");
    const began = performance.now();
    await admin(covey, `/${id}/revoke`, {});
    expect((await waiting).status).toBe(401);
    expect(performance.now() - began).toBeLessThan(ENDED_WITHIN_MS);
  });

  test("other keys' streams go on", async () => {
    const [one, other] = [await makeKey(covey), await makeKey(covey)];
    const stays = frames(await chat(covey, other.key, "endless-20", { stream: true }));
    const ends = await chat(covey, one.key, "endless-20", { stream: true });
    await admin(covey, `/${one.id}/revoke`, {});
    await endOf(ends);
    for (let i = 0; i < 20; i++) expect((await stays.next()).value).not.toContain("error");
    await stays.return(undefined);
  });
});

describe("a key that is rotated", () => {
  test("keeps its id; with an overlap the old one and its streams go on, and end with it", async () => {
    const { id, key: old } = await makeKey(covey);
    const answer = await chat(covey, old, "endless-20", { stream: true });
    const rotated = await jsonOf<Made>(admin(covey, `/${id}/rotate`, { overlap_seconds: 1 }));
    expect(rotated.id).toBe(id);
    expect(rotated.key).not.toBe(old);
    const shown = await jsonOf<KeyItem>(admin(covey, `/${id}`));
    expect(shown.previous?.prefix).toBe(old.slice(0, shown.prefix.length));
    const left = Date.parse(shown.previous?.works_until ?? "") - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(1000);
    expect((await chat(covey, old, "echo")).status).toBe(200);
    const fresh = await chat(covey, rotated.key, "echo");
    expect(await endedRow(covey, callIdOf(fresh))).toMatchObject({ key_id: id });
    const { error, took } = await endOf(answer);
    expect(error).toMatchObject({ code: "invalid_api_key" });
    expect(took).toBeLessThan(1000 + ENDED_WITHIN_MS);
    expect((await chat(covey, old, "echo")).status).toBe(401);
    expect((await jsonOf<KeyItem>(admin(covey, `/${id}`))).previous).toBeNull();
    expect((await chat(covey, rotated.key, "echo")).status).toBe(200);
  });
});

describe("the admin API", () => {
  test("is the admin key's and admin keys' alone", async () => {
    const plain = await makeKey(covey);
    const chief = await makeKey(covey, { role: "admin" });
    const status = async (headers: Record<string, string>) =>
      (await fetch(`${covey.url}/admin/v1/keys`, { headers })).status;
    expect(await status(ADMIN)).toBe(200);
    expect(await status(bearer(chief.key))).toBe(200);
    expect(await status(bearer(plain.key))).toBe(403);
    expect(await status({})).toBe(403);
    expect(await status(bearer("sk-covey-wrong"))).toBe(401);
  });

  test("shows a key once, and lists only its prefix", async () => {
    const { id, key, prefix } = await makeKey(covey, { name: "once", owner: "ops", tags: ["t1"] });
    expect(key.startsWith(`${prefix}-`)).toBe(true);
    const listed = await (await admin(covey, "?owner=ops&tag=t1")).text();
    const shown = await (await admin(covey, `/${id}`)).text();
    const updated = await (
      await admin(covey, `/${id}`, { budget: { period: "day", usd: 0.1 } })
    ).text();
    expect(JSON.parse(updated).budget).toEqual({ period: "day", usd: 0.1 });
    expect(JSON.parse(listed).data.map((item: { id: string }) => item.id)).toEqual([id]);
    for (const text of [listed, shown, updated]) {
      expect(text).toContain(prefix);
      expect(text).not.toContain(key);
    }
    expect(await (await admin(covey, `/${prefix}`)).json()).toMatchObject({ id });
  });

  test("pages through the keys, each one once", async () => {
    for (let i = 0; i < 5; i++) await makeKey(covey, { owner: "pages" });
    const seen: string[] = [];
    for (let more = true; more; ) {
      const after = seen.length === 0 ? "" : `&after=${seen.at(-1)}`;
      const page = await jsonOf<Ids>(admin(covey, `?owner=pages&limit=2${after}`));
      seen.push(...page.data.map(({ id }) => id));
      more = page.has_more;
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
  });

  test.each([
    [{}, "name"],
    [{ name: "" }, "name"],
    [{ name: "two\nlines" }, "name"],
    [{ name: "x", models: "all" }, "models"],
    [{ name: "x", endpoints: ["everything"] }, "endpoints[0]"],
    [{ name: "x", budget: { period: "week", usd: 1 } }, "budget.period"],
    [{ name: "x", budget: { period: "day", usd: -1 } }, "budget.usd"],
    [{ name: "x", plan: "nowhere" }, "plan"],
    [{ name: "x", expires_at: "tomorrow" }, "expires_at"],
    [{ name: "x", modles: [] }, "modles"],
  ])("refuses %j and says where", async (body, param) => {
    const answer = await admin(covey, "", body);
    expect(answer.status).toBe(400);
    expect((await errorOf(answer)).param).toBe(param);
  });

  test("refuses a parameter that the list does not have, and a date in the past", async () => {
    for (const query of ["?foo=1", "?owner=ops&foo=1"]) {
      const answer = await admin(covey, query);
      expect([answer.status, (await errorOf(answer)).param]).toEqual([400, "foo"]);
    }
    const past = await admin(covey, "", { name: "x", expires_at: "2020-01-01T00:00:00Z" });
    expect([past.status, (await errorOf(past)).param]).toEqual([400, "expires_at"]);
  });

  test("says when a key was last used, whoever has changed or rotated it since", async () => {
    const { id, key } = await makeKey(covey, { owner: "used" });
    const lastOf = async (answer: Response | Promise<Response>) =>
      (await jsonOf<{ last_used_at: string | null }>(answer)).last_used_at;
    expect(await lastOf(admin(covey, `/${id}`))).toBeNull();
    const began = Date.now();
    await (await chat(covey, key, "echo")).text();
    await covey.app.store.caughtUp();
    const last = await lastOf(admin(covey, `/${id}`));
    expect(Date.parse(String(last))).toBeWithin(began, Date.now() + 1);
    expect(await lastOf(admin(covey, `/${id}`, { tags: ["t"] }))).toBe(last);
    expect(await lastOf(admin(covey, `/${id}/rotate`, {}))).toBe(last);
    const { data } = await jsonOf<{ data: object[] }>(admin(covey, "?owner=used"));
    expect(data).toEqual([expect.objectContaining({ last_used_at: last })]);
  });

  test("knows no key by a wrong name, and takes no SQL for one", async () => {
    for (const which of ["nobody", "' OR 1=1 --", "%", "key_' UNION SELECT hash FROM keys --"]) {
      const answer = await admin(covey, `/${encodeURIComponent(which)}`);
      expect(answer.status).toBe(404);
    }
    const drop = "x'); DROP TABLE keys; --";
    const { id } = await makeKey(covey, { name: drop, owner: drop, tags: [drop], models: [drop] });
    expect(await (await admin(covey, `/${id}`)).json()).toMatchObject({ name: drop, owner: drop });
    expect((await admin(covey, "/x/frob", {})).status).toBe(404);
  });
});

test("no key is on the disk, in a log line or in an error", async () => {
  const { id, key } = await makeKey(covey);
  const rotated = await jsonOf<Made>(admin(covey, `/${id}/rotate`, { overlap_seconds: 60 }));
  const wrong = `${key.slice(0, -3)}xyz`;
  const answers = [
    await chat(covey, key, "echo"),
    await chat(covey, wrong, "echo"),
    await chat(covey, rotated.key, "nothing"),
    await admin(covey, `/${key}`),
    await admin(covey, `/${encodeURIComponent(wrong)}/revoke`, {}),
    await fetch(`${covey.url}/nothing?key=1`, { headers: bearer(key) }),
  ];
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  await covey.app.store.caughtUp();
  const all = [...texts, ...covey.logged, ...allFiles(covey.home)].join("\n");
  const tails = [key, wrong, rotated.key].map((text) => text.slice("sk-covey-".length + 9));
  expect(tails.filter((tail) => all.includes(tail))).toEqual([]);
  expect(all).toContain(key.slice("sk-covey-".length, "sk-covey-".length + 8));
});
