import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Environment, parseEnvFile } from "./environment.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "covey-env-"));
  file = join(folder, ".env");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a line is a name and a value; comments, quotation marks and `export` are no part of it", () => {
  const text = `# no\nA=1\nexport B = two words # why\nC="with # sign" # x\nD='it''s'\nE=\nbad line\nF=a=b\r\nG=\`g\``;
  expect(parseEnvFile(text)).toEqual({
    A: "1",
    B: "two words",
    C: "with # sign",
    D: "it''s",
    E: "",
    F: "a=b",
    G: "g",
  });
});

test("what the file says today counts, but not against what the environment had already", () => {
  writeFileSync(file, "KEY=old\nBOTH=file\nGONE=soon\n");
  const environment = new Environment(file, {
    KEY: "old",
    BOTH: "shell",
    GONE: "soon",
    OTHER: "x",
  });
  expect(environment.read()).toEqual({ KEY: "old", BOTH: "shell", GONE: "soon", OTHER: "x" });
  writeFileSync(file, "KEY=new\nBOTH=changed\nFRESH=1\n");
  expect(environment.read()).toEqual({ KEY: "new", BOTH: "shell", OTHER: "x", FRESH: "1" });
});

test("without a file the environment is as it was", () => {
  expect(new Environment(file, { A: "1" }).read()).toEqual({ A: "1" });
});
