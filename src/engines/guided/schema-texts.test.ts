import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { readerOf } from "../../../test/guided/matches.ts";
import { forSeeds, type Seeded } from "../../../test/seeded.ts";
import type { CharDfa } from "./char-dfa.ts";
import { schemaNode } from "./schema.ts";
import { fields, type Schema } from "./schema-keywords.ts";
import { textDfa } from "./schema-texts.ts";
import { Work } from "./work.ts";

/** zod's strings, as its `toJSONSchema` writes them: a pattern, or several, beside nearly every format. */
const ZODS: Readonly<Record<string, z.ZodType>> = {
  email: z.email(),
  "email as in HTML": z.email({ pattern: z.regexes.html5Email }),
  "email as in RFC 5322": z.email({ pattern: z.regexes.rfc5322Email }),
  "email with any letters": z.email({ pattern: z.regexes.unicodeEmail }),
  "email with a pattern": z.email().regex(/^a/),
  uuid: z.uuid(),
  "uuid v4": z.uuidv4(),
  guid: z.guid(),
  "date and time": z.iso.datetime(),
  "date and time with an offset": z.iso.datetime({ offset: true }),
  "local date and time": z.iso.datetime({ local: true, precision: 3 }),
  date: z.iso.date(),
  time: z.iso.time(),
  duration: z.iso.duration(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
  cidrv4: z.cidrv4(),
  base64: z.base64(),
  base64url: z.base64url(),
  e164: z.e164(),
  nanoid: z.nanoid(),
  cuid2: z.cuid2(),
  ulid: z.ulid(),
  url: z.url(),
  mac: z.mac(),
  hostname: z.hostname(),
  "beginning and end": z.string().startsWith("a").endsWith("b"),
  "a part": z.string().includes("x-y"),
};

function schemaOf(type: z.ZodType): Schema {
  return fields(z.toJSONSchema(type)) ?? {};
}

/** Some text that it accepts: a walk of some steps, then the nearest way out, told by `far`. */
function walked(dfa: CharDfa, far: readonly number[], random: Seeded): string {
  let text = "";
  let state = 0;
  for (let left = random.below(60); ; left--) {
    if (left <= 0 && dfa.accepts[state] === true) return text;
    const moves = dfa.moves[state] ?? [];
    const near = moves.filter(({ to }) => (far[to] ?? 0) < (far[state] ?? 0));
    const ways = left > 0 || near.length === 0 ? moves : near;
    const move = ways[random.below(ways.length)];
    if (move === undefined) return text;
    const { low, high, to } = move;
    const seen = Math.max(low, Math.min(high, 0x21));
    text += String.fromCodePoint(seen + random.below(Math.min(high - seen + 1, 60)));
    state = to;
  }
}

/** Steps to the nearest end, of each state. */
function distances(dfa: CharDfa): number[] {
  const far = dfa.accepts.map((ends) => (ends ? 0 : Number.POSITIVE_INFINITY));
  for (let round = 0; round < dfa.states; round++)
    for (const [state, moves] of dfa.moves.entries())
      for (const { to } of moves) far[state] = Math.min(far[state] ?? 0, 1 + (far[to] ?? 0));
  return far;
}

describe.each(Object.entries(ZODS))("zod's %s", (_, type) => {
  test("is enforced: whatever comes out is what zod takes", () => {
    const schema = schemaOf(type);
    expect(() => schemaNode(schema)).not.toThrow();
    const dfa = textDfa(schema, new Work());
    if (dfa === null) throw new Error("it is not enforced");
    const far = distances(dfa);
    forSeeds(60, (random) => {
      const text = walked(dfa, far, random);
      const { success } = type.safeParse(text);
      expect([text, success]).toEqual([text, true]);
    });
  });
});

test("an email is one to zod, and to pydantic's EmailStr", () => {
  const dfa = textDfa({ type: "string", format: "email" }, new Work());
  if (dfa === null) throw new Error("it is not enforced");
  const far = distances(dfa);
  forSeeds(200, (random) => {
    const text = walked(dfa, far, random);
    const [mailbox = "", host = ""] = text.split("@");
    const labels = host.split(".");
    expect([text, z.email().safeParse(text).success]).toEqual([text, true]);
    // email_validator's rules, of its syntax and of names that are kept for other uses.
    expect(mailbox.length).toBeLessThanOrEqual(64);
    expect([text, /^[A-Za-z]{2,}$/.test(labels.at(-1) ?? "")]).toEqual([text, true]);
    for (const label of labels) expect([text, /^..--/.test(label)]).toEqual([text, false]);
  });
  const email = { type: "string", format: "email" };
  for (const text of ["a@b.de", "a.b+c@my-company.example.com", "A_1@a--b.info", "a@b.tests"])
    expect([text, takes(email, text)]).toEqual([text, true]);
  const bad = [
    "a@b.000",
    "a@b.c1",
    "a@b.c",
    "a@b",
    ".a@b.de",
    "a.@b.de",
    "a..b@c.de",
    "a@-b.de",
    "a@xn--b.de",
  ];
  for (const text of [
    ...bad,
    "a@b.local",
    "a@b.test",
    "a@b.c.arpa",
    "a@localhost",
    `${"a".repeat(65)}@b.de`,
  ])
    expect([text, takes(email, text)]).toEqual([text, false]);
});

test.each(["date", "date-time"])("a %s has a year that Python has too", (format) => {
  const rest = format === "date" ? "-01-31" : "-01-31T00:00:00Z";
  expect(takes({ type: "string", format }, `0000${rest}`)).toBe(false);
  for (const year of [1000, 2026, 9999])
    expect(takes({ type: "string", format }, `${year}${rest}`)).toBe(true);
});

test("where it takes too long to find texts that fit both, the pattern alone counts", () => {
  const long = { type: "string", format: "email", pattern: '^[^\\s@"]{1,60}@[^\\s@]{1,250}$' };
  expect(takes(long, "ä@b")).toBe(true);
  expect(takes(long, "a@b@c")).toBe(false);
  // The tries have steps of their own: what comes after them has its own too.
  const spent = (schema: object) => {
    const work = new Work();
    schemaNode(schema, work);
    return work.spent;
  };
  expect(spent(long)).toBeLessThan(spent({ ...long, format: undefined }) + 2_000);
});

const takes = (schema: object, text: string): boolean =>
  readerOf({ kind: "json_schema", schema })(JSON.stringify(text)) === "whole";

test("what can't be is a 400 that names the pattern: emoji", () => {
  expect(() => schemaNode(schemaOf(z.emoji()))).toThrow(
    expect.objectContaining({ path: "pattern" }),
  );
});

test("a host's name and a pattern of no host's are a 400", () => {
  const host = schemaOf(z.hostname());
  expect(takes({ ...host, allOf: [{ pattern: "^a.*o$" }] }, "a.bo")).toBe(true);
  expect(() => schemaNode({ ...host, allOf: [{ pattern: "_" }] })).toThrow(
    expect.objectContaining({ path: "format" }),
  );
});

test("beside a pattern both count where texts are known that fit both, else the pattern", () => {
  const uuid = { type: "string", format: "uuid", pattern: "^0{8}-" };
  expect(takes(uuid, "00000000-1234-1234-1234-123456789abc")).toBe(true);
  expect(takes(uuid, "10000000-1234-1234-1234-123456789abc")).toBe(false);
  expect(takes(uuid, "00000000-x")).toBe(false);
  expect(takes({ ...uuid, pattern: "^[A-Z]{3}$" }, "ABC")).toBe(true);
  expect(takes({ ...uuid, format: "nobody's" }, "00000000-x")).toBe(true);
});

test.each([
  { type: "string", format: "binary" },
  { type: "string", format: "password", writeOnly: true },
  { type: "string", format: "path" },
  { type: "string", contentMediaType: "application/json", contentSchema: { type: "object" } },
])("pydantic's %j is any text", (schema) => {
  expect(takes(schema, "any \n text")).toBe(true);
});

test("several patterns hold at once, and are refused where nothing fits them", () => {
  const schema = (...patterns: string[]) => ({
    type: "string",
    allOf: patterns.map((pattern) => ({ pattern })),
  });
  expect(takes(schema("^a", "b$"), "a-b")).toBe(true);
  expect(takes(schema("^a", "b$"), "a-c")).toBe(false);
  expect(() => schemaNode(schema("^a", "^b"))).toThrow("No text fits all of its patterns");
  expect(() => schemaNode(schema("^a", "("))).toThrow(
    expect.objectContaining({ path: "allOf[1].pattern" }),
  );
});

test("a password's rules, each looked for ahead, are enforced", () => {
  const pattern = "^(?=.*[A-Z])(?=.*\\d)(?!.*(pass|1234))[A-Za-z\\d]{8,12}$";
  const expected = new RegExp(pattern, "u");
  for (const text of [
    "Abcdefg1",
    "abcdefg1",
    "Abcdefgh",
    "Apassword1",
    "A1234bcd",
    "Ab1",
    "AAAA1111",
  ])
    expect([text, takes({ type: "string", pattern }, text)]).toEqual([text, expected.test(text)]);
});
