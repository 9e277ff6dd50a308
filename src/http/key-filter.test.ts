import { expect, test } from "bun:test";
import { byKeyId } from "./key-filter.ts";

const KEYS = [
  { id: "key_1", prefix: "aaaaaaaa", name: "tiny" },
  { id: "key_2", prefix: "bbbbbbbb", name: "ci" },
  { id: "key_3", prefix: "cccccccc", name: "ci" },
  { id: "key_4", prefix: "dddddddd", name: "admin" },
];
const idsOf = (...key: string[]) => byKeyId({ key }, () => KEYS).key;

test("a key is named by its id, its prefix as it is shown, or its name", () => {
  for (const named of ["key_1", "sk-covey-aaaaaaaa", "sk-covey-aaaaaaaa-…", "aaaaaaaa", "tiny"])
    expect(idsOf(named)).toEqual(["key_1"]);
});

test("a name that several have is all of them, each once; one that none has finds nothing", () => {
  expect(idsOf("ci", "key_2")).toEqual(["key_2", "key_3"]);
  expect(idsOf("nobody", "tiny")).toEqual(["nobody", "key_1"]);
});

test("whoever calls without a key is never a key of that name", () => {
  expect(idsOf("admin", "anonymous")).toEqual(["admin", "anonymous"]);
});

test("more keys than a question takes are refused, and without the filter none is looked at", () => {
  const many = Array.from({ length: 101 }, (_, at) => ({ id: `k${at}`, prefix: "", name: "ci" }));
  expect(() => byKeyId({ key: ["ci"] }, () => many)).toThrow("101 keys have these names");
  const none = (): never => {
    throw new Error("looked at");
  };
  expect(byKeyId({}, none)).toEqual({});
});
