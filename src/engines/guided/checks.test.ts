import { expect, setDefaultTimeout, test } from "bun:test";
import type { GuideCheck } from "./check.ts";
import { Checker } from "./checker.ts";
import { GuideChecks } from "./checks.ts";
import type { GuideSpec } from "./spec.ts";

// Some of them try hundreds of forms, on a machine that may be busy.
setDefaultTimeout(60_000);

const check = (spec: GuideSpec): GuideCheck => ({ whole: { spec, path: "guided" }, parts: [] });
const json = (schema: unknown) => check({ kind: "json_schema", schema });
const asker = (keyId = "a", signal = new AbortController().signal) => ({ keyId, signal });

const PERSON = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1 },
    zip: { type: "string", pattern: "^[0-9]{5}$" },
    tags: { type: "array", items: { enum: ["a", "b"] } },
    friend: { anyOf: [{ $ref: "#" }, { type: "null" }] },
  },
  required: ["name"],
};

/** Some tens of thousands of steps each, and no two the same; the last may be what can't be. */
const heavy = (name: string, also: object = {}, patterns = 40) =>
  json({
    properties: {
      ...Object.fromEntries(
        Array.from({ length: patterns }, (_, i) => [
          `${name}${i}`,
          { pattern: `^[a-z]{1,${40 + i}}$` },
        ]),
      ),
      ...also,
    },
  });

test("an ordinary schema is tried at once, and so is what is wrong in it", async () => {
  const checks = new GuideChecks();
  // The first one finds nothing warm.
  await checks.pass(json(PERSON), asker());
  const before = checks.handedOver;
  await checks.pass(json(PERSON), asker());
  await expect(checks.pass(json({ ...PERSON, not: {} }), asker())).rejects.toMatchObject({
    kind: "invalid_request",
    param: "guided.not",
  });
  expect(checks.handedOver).toBe(before);
});

test("what takes longer is tried on another thread, while this one does other things", async () => {
  const checks = new GuideChecks();
  let rounds = 0;
  const timer = setInterval(() => {
    rounds += 1;
  }, 1);
  await Promise.all(Array.from({ length: 8 }, (_, i) => checks.pass(heavy(`p${i}`), asker())));
  clearInterval(timer);
  expect(checks.handedOver).toBe(8);
  // One after the other on this thread there would be none at all.
  expect(rounds).toBeGreaterThan(8);
});

test("what it finds wrong is the same refusal, and is known the next time", async () => {
  const checks = new GuideChecks();
  const bad = heavy("p", { odd: { type: "string", not: {} } });
  for (let time = 0; time < 3; time++)
    await expect(checks.pass(bad, asker())).rejects.toMatchObject({
      kind: "invalid_request",
      param: "guided.properties.odd.not",
    });
  const bomb = check({ kind: "regex", pattern: "((a{1,100}){1,100}){1,100}" });
  await expect(checks.pass(bomb, asker())).rejects.toMatchObject({
    kind: "invalid_request",
    param: "guided",
  });
  await checks.pass(heavy("good"), asker());
  const before = checks.handedOver;
  await checks.pass(heavy("good"), asker());
  await expect(checks.pass(bad, asker())).rejects.toMatchObject({ kind: "invalid_request" });
  expect(checks.handedOver).toBe(before);
});

test("names in a refusal are cut where they are long, at both ends of the middle", async () => {
  const checks = new GuideChecks();
  const long = "k".repeat(100_000);
  for (const [patterns, handedOver] of [
    [0, 0],
    [40, 1],
  ] as const) {
    const inside = heavy(`p${patterns}`, { [long]: { type: "null", not: {} } }, patterns);
    const beside = heavy(`q${patterns}`, { odd: { [long]: 1 } }, patterns);
    const [path, message] = await Promise.all(
      [inside, beside].map((form) => checks.pass(form, asker()).catch((error: unknown) => error)),
    );
    expect(path).toMatchObject({
      param: expect.stringMatching(/^guided\.properties\.k{200,}…k{200,}\.not$/),
    });
    expect(message).toMatchObject({
      param: expect.stringMatching(/^guided\.properties\.odd\.k{200,}…k{200,}$/),
      message: expect.stringMatching(
        /^The JSON Schema keyword 'k{200,}…k{200,}' can't be enforced\.$/,
      ),
    });
    expect(String(message).length + JSON.stringify(path).length).toBeLessThan(2_000);
    expect(checks.handedOver).toBeGreaterThanOrEqual(handedOver);
  }
});

test("what is wrong in a part is told of the part", async () => {
  const checks = new GuideChecks();
  const odd: GuideSpec = { kind: "json_schema", schema: { type: "null", not: {} } };
  const fine = heavy("p", {}, 6).whole;
  const both: GuideCheck = {
    whole: { spec: { kind: "either", parts: [fine.spec, odd] }, path: "tools" },
    parts: [fine, { spec: odd, path: "tools[1]" }],
  };
  await expect(checks.pass(both, asker())).rejects.toMatchObject({ param: "tools[1].not" });
});

test("keys take turns at the thread, and those who leave give up their turn", async () => {
  const checks = new GuideChecks();
  const order: string[] = [];
  const ask = (keyId: string, name: string) =>
    checks.pass(heavy(name), asker(keyId)).then(() => order.push(keyId));
  const gone = new AbortController();
  const many = Array.from({ length: 5 }, (_, i) => ask("many", `m${i}`));
  const left = checks.pass(heavy("left"), asker("left", gone.signal));
  const one = ask("one", "o");
  gone.abort();
  await expect(left).rejects.toMatchObject({ kind: "client_closed" });
  await Promise.all([...many, one]);
  expect(order.indexOf("one")).toBeLessThan(3);
  expect(checks.handedOver).toBe(6);
});

test("a line that is full refuses, and says when to come again", async () => {
  const checks = new GuideChecks(3);
  const asked = Array.from({ length: 12 }, (_, i) => checks.pass(heavy(`p${i}`), asker()));
  const results = await Promise.allSettled(asked);
  const refused = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason] : [],
  );
  expect(refused.length).toBeGreaterThan(0);
  for (const reason of refused)
    expect(reason).toMatchObject({ kind: "overloaded", retryAfter: expect.any(Number) });
  expect(checks.handedOver).toBe(12 - refused.length);
});

test("who asks the same as one in front of them waits for what is found of that", async () => {
  const checks = new GuideChecks();
  await Promise.all(Array.from({ length: 5 }, () => checks.pass(heavy("same"), asker())));
  expect(checks.handedOver).toBe(1);
});

test("many that are short are tried by turns with what else there is to do", async () => {
  const checks = new GuideChecks();
  let rounds = 0;
  let over = false;
  const next = () => {
    rounds += 1;
    if (!over) setImmediate(next);
  };
  setImmediate(next);
  await Promise.all(Array.from({ length: 300 }, () => checks.pass(json(PERSON), asker())));
  over = true;
  expect(rounds).toBeGreaterThan(4);
});

test("a key with many forms delays another's by a turn, before they are left to the thread too", async () => {
  const checks = new GuideChecks(2);
  await checks.pass(json(PERSON), asker());
  let tried = 0;
  const many = Array.from({ length: 200 }, (_, i) =>
    checks.pass(heavy(`m${i}`), asker("many")).catch(() => {
      tried += 1;
    }),
  );
  await checks.pass(check({ kind: "choice", choices: ["a"] }), asker("one"));
  // One, but for a machine so busy that the choice was left to the thread.
  expect(tried).toBeLessThan(100);
  await Promise.all(many);
  expect(tried).toBeGreaterThan(100);
});

test("nothing is done for a form behind a full line of untried ones, unless its key has fewer there", async () => {
  const checks = new GuideChecks(64, 10);
  const results = (asked: Promise<void>[]) =>
    Promise.allSettled(asked).then((all) => all.map(({ status }) => status));
  const many = results(Array.from({ length: 40 }, () => checks.pass(json(PERSON), asker("many"))));
  const one = results([checks.pass(json(PERSON), asker("one"))]);
  const passed = (await many).filter((status) => status === "fulfilled");
  // One is being tried, ten wait, and one of these made room.
  expect(passed).toHaveLength(10);
  expect(await one).toEqual(["fulfilled"]);
  const late = await Promise.allSettled(
    Array.from({ length: 20 }, () => checks.pass(json(PERSON), asker("many"))),
  );
  const refused = late.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  expect(refused).toHaveLength(9);
  for (const reason of refused)
    expect(reason).toMatchObject({ kind: "overloaded", retryAfter: expect.any(Number) });
});

test("who leaves before the form was tried gives up the turn", async () => {
  const checks = new GuideChecks();
  const gone = new AbortController();
  const many = Array.from({ length: 5 }, (_, i) => checks.pass(heavy(`g${i}`), asker("many")));
  const left = checks.pass(heavy("left"), asker("left", gone.signal));
  gone.abort();
  await expect(left).rejects.toMatchObject({ kind: "client_closed" });
  await Promise.all(many);
  expect(checks.handedOver).toBe(5);
});

/** A thread on which what has that name in it never ends, and all else is found to be fine. */
const HANGS = `data:text/javascript,${encodeURIComponent(
  "self.onmessage = ({ data: { seq, check } }) => { while (check.includes('hang')); self.postMessage({ seq, flaw: null }); };",
)}`;

/** Until so many forms were left to the thread. */
async function handed(checks: GuideChecks, count: number): Promise<void> {
  while (checks.handedOver < count) await Bun.sleep(1);
}

test("a thread that does not answer in time is replaced, and those behind are served", async () => {
  const checks = new GuideChecks(64, 500, new Checker(HANGS, 1_000));
  const results = await Promise.allSettled(
    ["hang", "fine", "other"].map((name) => checks.pass(heavy(name), asker())),
  );
  expect(results).toMatchObject([
    { status: "rejected", reason: { kind: "unavailable" } },
    { status: "fulfilled" },
    { status: "fulfilled" },
  ]);
});

test("who leaves while the thread works is let go at once, and what it finds is known", async () => {
  const hung = new GuideChecks(64, 500, new Checker(HANGS, 3_000));
  const checks = new GuideChecks();
  for (const [each, name] of [
    [hung, "hang"],
    [checks, "left"],
  ] as const) {
    const gone = new AbortController();
    const left = each.pass(heavy(name), asker("a", gone.signal)).catch((error: unknown) => error);
    await handed(each, 1);
    gone.abort();
    expect(await left).toMatchObject({ kind: "client_closed" });
  }
  await checks.pass(heavy("left"), asker());
  expect(checks.handedOver).toBe(1);
});
