import { expect, test } from "bun:test";
import { keyItem, newKeySettings } from "../contract/key-settings.ts";
import { changeOf } from "./key-flags.ts";
import { keysTable, modelsShown } from "./key-report.ts";
import { parseCommandLine } from "./options.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const expiry = (expires: string) => changeOf({ expires }, false, NOW).expires_at;

test("a key expires after a time from now, at a date, or never", () => {
  expect(expiry("12h")).toBe("2026-11-21T00:00:00.000Z");
  expect(expiry("2026-11-21")).toBe("2026-11-21T00:00:00.000Z");
  expect(expiry("2026-11-20T12:00:01Z")).toBe("2026-11-20T12:00:01.000Z");
  expect(expiry("never")).toBeNull();
});

test("a date in the past is refused, with what is allowed and what ends a key now", () => {
  for (const past of ["2020-01-01", "2026-11-20", "0s"])
    expect(() => expiry(past)).toThrow(
      /^--expires: 20\d\d-.* is in the past; expected a time from now \(12h, .*or never.* revoke/,
    );
});

test.each(["tomorrow", "2026-13-41", "30", "-1d"])("--expires %s: says what is allowed", (text) => {
  const allowed = `expected a time from now (12h, 30d, 2w), a date (2027-01-31, or 2027-01-31T18:00Z), or never; got "${text}"`;
  expect(() => expiry(text)).toThrow(allowed);
});

test("a budget below nothing is refused with what is allowed, in either way of writing it", () => {
  expect(() => changeOf({ budget: "-1/day" }, false, NOW)).toThrow(
    `--budget: expected US dollars a day or month, 0 or more, such as "10/month" or "2.50/day", or none for the plan's; got "-1/day"`,
  );
  const typed = () => parseCommandLine(["keys", "create", "--budget", "-1/day"]);
  expect(typed).toThrow(/--budget USD \(What it may spend: 10\/month, .*\); got "-1\/day"/);
});

test("a key's models are shown as they are while there is room, then counted", () => {
  expect([modelsShown(null), modelsShown([])]).toEqual(["all", "none"]);
  expect(modelsShown(["qwen/*", "tinyllama", "a*"])).toBe("qwen/*, tinyllama, a*");
  const many = Array.from({ length: 200 }, (_, at) => `owner-${at}/*`);
  expect(modelsShown(many)).toBe("owner-0/*, owner-1/*, owner-2/* and 197 more");
  expect(modelsShown(["x".repeat(256)])).toBe(`${"x".repeat(40)}…`);
});

test("the table says which models a key may use and when it was last used", () => {
  const settings = newKeySettings({ name: "ci", models: ["qwen/*", "a", "b"] });
  const dates = { createdAt: NOW, disabledAt: null, revokedAt: null };
  const key = { ...settings, ...dates, id: "key_1", prefix: "abcdefgh", previous: null };
  const row = (lastUsedAt: number | null) =>
    keysTable([keyItem({ ...key, lastUsedAt }, "active", NOW)]).split("\n")[1];
  expect(row(NOW)).toBe(
    "sk-covey-abcdefgh  ci    –      –     qwen/*, a, b  –       2026-11-20 12:00  never    active",
  );
  expect(row(null)).toMatch(/never +never/);
});
