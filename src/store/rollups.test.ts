import { expect, test } from "bun:test";
import { CUTS, CUTS_OF, cutFor, DIMENSIONS } from "./rollups.ts";

test("a query reads the smallest cut that knows what it asks for", () => {
  expect(cutFor("days", [])).toBe("all");
  expect(cutFor("days", ["model"])).toBe("model");
  expect(cutFor("days", ["status"])).toBe("errors");
  expect(cutFor("days", ["provider", "status"])).toBe("kinds");
  expect(cutFor("days", ["model", "status", "error"])).toBe("models");
  expect(cutFor("hours", ["key_id"])).toBe("key");
  expect(cutFor("hours", ["key_id", "status"])).toBe("keys");
  expect(cutFor("hours", ["key_id", "endpoint"])).toBe("callers");
  expect(cutFor("hours", ["key_id", "model"])).toBe("uses");
  expect(cutFor("hours", ["key_id", "model", "endpoint"])).toBe("each");
});

test("a span that lacks a cut is read from a larger one", () => {
  expect(cutFor("minutes", ["provider", "status"])).toBe("models");
  expect(cutFor("minutes", ["key_id", "model"])).toBe("each");
});

test("every span has a cut for every question, and each cut's dimensions in the order of the rows", () => {
  for (const cuts of Object.values(CUTS_OF)) expect(cuts.at(-1)).toBe("each");
  for (const known of Object.values(CUTS)) {
    expect<readonly string[]>(known).toEqual(DIMENSIONS.filter((name) => known.includes(name)));
  }
});
