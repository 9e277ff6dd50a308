import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

const project = path.resolve(import.meta.dir, "../..");
let copy: string;

beforeEach(async () => {
  copy = await mkdtemp(path.join(os.tmpdir(), "covey-scripts-"));
  await mkdir(path.join(copy, "scripts"));
  for (const name of ["package.json", "package-lock.json", "scripts/gpu.mjs", "scripts/prune.mjs"])
    await copyFile(path.join(project, name), path.join(copy, name));
});
afterEach(() => rm(copy, { recursive: true, force: true }));

async function node(script: string, ...args: string[]) {
  const child = Bun.spawn(["node", path.join(copy, script), ...args], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

interface PackageFile {
  overrides: Record<string, string>;
  packages: Record<string, unknown>;
}
const json = async (name: string): Promise<PackageFile> => Bun.file(path.join(copy, name)).json();
const CUDA = ["linux-x64-cuda", "linux-x64-cuda-ext", "win-x64-cuda", "win-x64-cuda-ext"];

describe("npm run gpu", () => {
  test("cuda takes CUDA's packages out of the overrides and the lockfile, and nothing else", async () => {
    const before = { file: await json("package.json"), lock: await json("package-lock.json") };
    const { out, code } = await node("scripts/gpu.mjs", "cuda");
    expect(code).toBe(0);
    expect(out).toContain("npm install");
    const after = { file: await json("package.json"), lock: await json("package-lock.json") };
    for (const name of CUDA) {
      delete before.file.overrides[`@node-llama-cpp/${name}`];
      delete before.lock.packages[`node_modules/@node-llama-cpp/${name}`];
    }
    expect(after).toEqual(before);
  });

  test("cuda, then vulkan, then none ends where it began", async () => {
    const before = await json("package.json");
    for (const gpu of ["cuda", "vulkan", "none"])
      expect((await node("scripts/gpu.mjs", gpu)).code).toBe(0);
    expect(await json("package.json")).toEqual(before);
  });

  test("what is chosen already changes no byte", async () => {
    const before = await readFile(path.join(copy, "package-lock.json"), "utf8");
    expect((await node("scripts/gpu.mjs", "none")).out).toContain("nothing to change");
    expect(await readFile(path.join(copy, "package-lock.json"), "utf8")).toBe(before);
  });

  test("an unknown choice names those there are and changes nothing", async () => {
    const { err, code } = await node("scripts/gpu.mjs", "metal");
    expect([code, err]).toEqual([2, "usage: npm run gpu -- none|cuda|vulkan\n"]);
  });
});

describe("after an install", () => {
  const modules = () => path.join(copy, "node_modules", "@node-llama-cpp");

  test("binaries for other machines are removed, silently", async () => {
    const own =
      { linux: "linux", darwin: "mac", win32: "win" }[String(process.platform)] ?? "linux";
    const names = [
      "linux-x64",
      "linux-arm64",
      "linux-armv7l",
      "mac-arm64-metal",
      "win-x64",
      "win-x64-cuda",
      "linux-x64-cuda",
      "something-else",
    ];
    for (const name of names) await mkdir(path.join(modules(), name, "bins"), { recursive: true });
    expect(await node("scripts/prune.mjs")).toEqual({ out: "", err: "", code: 0 });
    const mine = `${own}-${process.arch}`;
    expect((await readdir(modules())).sort()).toEqual(
      names
        .filter((name) => name === "something-else" || name === mine || name.startsWith(`${mine}-`))
        .sort(),
    );
  });

  test("of onnxruntime only this machine's is left, and all where it has none for it", async () => {
    const runtimes = path.join(copy, "node_modules", "onnxruntime-node", "bin", "napi-v6");
    const folders = async () =>
      (await readdir(runtimes, { recursive: true })).filter((name) => name.includes("/")).sort();
    await mkdir(path.join(runtimes, "plan9", "x64"), { recursive: true });
    await node("scripts/prune.mjs");
    expect(await folders()).toEqual(["plan9/x64"]);
    const mine = `${process.platform}/${process.arch}`;
    for (const name of [mine, "win32/ia32"])
      await mkdir(path.join(runtimes, name), { recursive: true });
    await node("scripts/prune.mjs");
    expect(await folders()).toEqual([mine]);
  });

  test("it is content with nothing to do", async () => {
    expect(await node("scripts/prune.mjs")).toEqual({ out: "", err: "", code: 0 });
  });
});
