import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { isHere } from "../needs.ts";
import { FAKE_KEY, fakeConfig } from "./wire.ts";

/** The programs in examples/ do what they say, as they are. */

const CHAIN = join(ROOT, "examples/model-chain/chain.mjs");
const REVIEW = join(ROOT, "examples/ci-code-review/ci-code-review.sh");

let upstream: FakeUpstream;
let covey: TestCovey;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "covey-examples-"));
  upstream = fakeUpstream();
  const toml = fakeConfig(upstream, ["echo", "bare", "status-500"], "[routing]\nattempts = 1\n");
  covey = await startCovey({ toml, env: { FAKE_KEY } });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program in the test's folder, with Covey's address in its environment. */
async function run(command: readonly string[], env: Record<string, string>, cwd = folder) {
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...process.env, COVEY_BASE_URL: `${covey.url}/v1`, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { out, err, code };
}

test.skipIf(!isHere("node"))("a chain of models hands one answer to the next", async () => {
  const chain = (models: string) => run(["node", CHAIN, "hello"], { COVEY_MODELS: models });
  expect(await chain("echo,bare")).toEqual({
    out: "## echo\n\nhello\n\n## bare\n\nPrevious output from echo:\nhello\n\nImprove this further.\n\n",
    err: "",
    code: 0,
  });
  const failed = await chain("echo,status-500");
  expect([failed.code, failed.out]).toEqual([1, ""]);
  expect(failed.err).toStartWith("status-500: ");
});

const canReview = isHere("bash", "curl", "git", "jq");

/** A repository whose branch `change` differs from `main` in one file. */
async function repository(text: string): Promise<string> {
  const at = mkdtempSync(join(folder, "repository-"));
  const git = async (...args: string[]) => {
    const identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
    const { code, err } = await run(["git", ...identity, ...args], {}, at);
    if (code !== 0) throw new Error(err);
  };
  await git("init", "-q", "-b", "main");
  writeFileSync(join(at, "file"), "one\n");
  await git("add", "file");
  await git("commit", "-qm", "one");
  await git("checkout", "-qb", "change");
  writeFileSync(join(at, "file"), text);
  await git("commit", "-qam", "two");
  return at;
}

test.skipIf(!canReview)("a branch is reviewed in CI", async () => {
  const at = await repository("two 'quoted' \"lines\" \\ und Grüße 🌍\n");
  const { out, err, code } = await run([REVIEW], { COVEY_MODEL: "echo" }, at);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toStartWith("Review this diff:\ndiff --git a/file b/file\n");
  expect(out).toContain("-one\n+two 'quoted' \"lines\" \\ und Grüße 🌍\n");
});

test.skipIf(!canReview)("a diff longer than a command line may be is reviewed too", async () => {
  const at = await repository("a line of a long change\n".repeat(20_000));
  const { out, code } = await run([REVIEW], { COVEY_MODEL: "echo" }, at);
  expect([code, out.split("\n+a line of a long change").length]).toEqual([0, 20_001]);
});

test.skipIf(!canReview)("a review that can't be had ends CI with the reason", async () => {
  const at = await repository("two\n");
  const { out, err, code } = await run([REVIEW], { COVEY_MODEL: "nobody/nothing" }, at);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("nobody/nothing");
});

test.skipIf(!canReview)("a pull request gets the review as its comment", async () => {
  const at = await repository("two\n");
  const bin = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(bin, "gh"), '#!/bin/sh\nprintf "%s\\n" "$@" > commented\n');
  chmodSync(join(bin, "gh"), 0o755);
  const path = `${bin}:${process.env.PATH}`;
  const { code } = await run([REVIEW], { COVEY_MODEL: "echo", PR_NUMBER: "7", PATH: path }, at);
  expect(code).toBe(0);
  const commented = await Bun.file(join(at, "commented")).text();
  expect(commented).toStartWith("pr\ncomment\n7\n--body\nReview this diff:\n");
});
