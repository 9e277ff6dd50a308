import { describe, expect, test } from "bun:test";
import { isModelId, isSafePath, parseHubReference, parseNpmReference } from "./reference.ts";

test("hub references are read with and without a revision", () => {
  expect(parseHubReference("o/n@v1.0/a/b.gguf")).toEqual({
    repo: "o/n",
    revision: "v1.0",
    file: "a/b.gguf",
  });
  expect(parseHubReference("o/n/b.gguf")).toEqual({
    repo: "o/n",
    revision: "main",
    file: "b.gguf",
  });
});

test("npm references want an exact version", () => {
  expect(parseNpmReference("@scope/p@1.2.3/x/y.bin")).toEqual({
    package: "@scope/p",
    version: "1.2.3",
    path: "x/y.bin",
  });
  expect(parseNpmReference("p@^1.2.3/x")).toBeUndefined();
  expect(parseNpmReference("p@latest/x")).toBeUndefined();
});

describe("nothing that could leave its folder is a reference", () => {
  test.each([
    "o/n@main/../../etc/passwd",
    "o/n@main/a/../b.gguf",
    "o/n@main//etc/passwd",
    "o/n@main/a\\..\\b.gguf",
    "o/n@main/C:\\b.gguf",
    "o/n@../b.gguf",
    "../n@main/b.gguf",
    "o/..@main/b.gguf",
    "o/n@main/.",
    "o/n@main/a\u0000b",
    "o--x/n@main/b.gguf",
  ])("%s", (text) => expect(parseHubReference(text)).toBeUndefined());

  test.each(["p@1.0.0/../x", "../p@1.0.0/x", "p@1.0.0//x", "p@1.0.0/a\\b"])("%s", (text) =>
    expect(parseNpmReference(text)).toBeUndefined(),
  );
});

test.each([
  "../x",
  "a/../b",
  "/a",
  "a/b/c",
  "a\\b",
  "a--b",
  "a..b",
  ".hidden",
  "a/.b",
  "",
  "a/",
  "a b",
])("%p is no model id", (id) => expect(isModelId(id)).toBe(false));

test.each(["TinyLlama/TinyLlama-1.1B-Chat-v1.0", "qwen2.5-1.5b", "a/b_c"])(
  "%p is a model id",
  (id) => expect(isModelId(id)).toBe(true),
);

test("a safe path has plain names only", () => {
  expect(isSafePath("a/b.gguf")).toBe(true);
  expect(isSafePath("a/b.")).toBe(false);
});
