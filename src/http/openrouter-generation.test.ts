import { expect, test } from "bun:test";
import { maySee } from "./openrouter-generation.ts";

const MINUTE = 60_000;
const NOW = 1_800_000_000_000;
const admin = { role: "admin", keyId: "admin" } as const;
const key = { role: "key", keyId: "key_1" } as const;
const anonymous = { role: "anonymous", keyId: "anonymous" } as const;
const call = (key_id: string, minutesAgo: number) => ({
  key_id,
  ended_at: NOW - minutesAgo * MINUTE,
});

test("a key sees its own calls for as long as there are any, and nobody else's", () => {
  expect(maySee(key, call("key_1", 100_000), NOW)).toBe(true);
  for (const other of ["key_2", "admin", "anonymous", "unknown", ""]) {
    expect(maySee(key, call(other, 0), NOW)).toBe(false);
  }
});

test("an anonymous caller sees an anonymous call for ten minutes, and no log", () => {
  expect(maySee(anonymous, call("anonymous", 9), NOW)).toBe(true);
  expect(maySee(anonymous, call("anonymous", 10), NOW)).toBe(false);
  expect(maySee(anonymous, { key_id: "anonymous", ended_at: null }, NOW)).toBe(false);
  expect(maySee(anonymous, call("key_1", 0), NOW)).toBe(false);
});

test("the admin sees all of them", () => {
  expect(maySee(admin, call("key_1", 100_000), NOW)).toBe(true);
});
