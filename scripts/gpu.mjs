// npm run gpu -- cuda|vulkan|none: chooses which of llama.cpp's GPU binaries `npm install` brings.
// By default none of them (they take a gigabyte): package.json overrides each by an empty package.
// npm refuses to install a package that an override names (EOVERRIDE) and keeps what the lockfile
// says, so a change has to take the package out of both.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const EMPTY = "npm:empty-npm-package@1.0.0";
const SCOPE = "@node-llama-cpp/";

const GPUS = {
  cuda: ["linux-x64-cuda", "linux-x64-cuda-ext", "win-x64-cuda", "win-x64-cuda-ext"],
  vulkan: ["linux-x64-vulkan", "win-x64-vulkan"],
};

export const CHOICES = ["none", ...Object.keys(GPUS)];

/**
 * The two files for a choice, and the packages whose entry changed. Pure: takes and returns parsed
 * JSON. A package that changes sides is taken out of the lockfile, so that npm looks it up anew.
 */
export function choose(gpu, packageFile, lockFile) {
  const wanted = gpu === "none" ? [] : GPUS[gpu];
  if (wanted === undefined) throw new Error(`expected one of ${CHOICES.join(", ")}, got "${gpu}"`);
  const overrides = { ...packageFile.overrides };
  const packages = { ...lockFile.packages };
  const changed = [];
  for (const name of Object.values(GPUS).flat()) {
    const full = SCOPE + name;
    const isInstalled = overrides[full] !== EMPTY;
    const isWanted = wanted.includes(name);
    if (isInstalled === isWanted) continue;
    if (isWanted) delete overrides[full];
    else overrides[full] = EMPTY;
    delete packages[`node_modules/${full}`];
    changed.push(full);
  }
  const sorted = Object.fromEntries(Object.entries(overrides).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    packageFile: { ...packageFile, overrides: sorted },
    lockFile: { ...lockFile, packages },
    changed,
  };
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

function writeJson(file, value) {
  writeFileSync(`${file}.tmp`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${file}.tmp`, file);
}

/** Edits the project in `root`; returns the packages that changed. */
export function apply(gpu, root) {
  const packagePath = path.join(root, "package.json");
  const lockPath = path.join(root, "package-lock.json");
  const result = choose(gpu, readJson(packagePath), readJson(lockPath));
  if (result.changed.length === 0) return [];
  writeJson(packagePath, result.packageFile);
  writeJson(lockPath, result.lockFile);
  // What is installed under these names belongs to the other choice, and npm's own note of it too.
  for (const name of result.changed)
    rmSync(path.join(root, "node_modules", name), { recursive: true, force: true });
  rmSync(path.join(root, "node_modules", ".package-lock.json"), { force: true });
  return result.changed;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const gpu = process.argv[2];
  if (gpu === undefined || !CHOICES.includes(gpu)) {
    console.error(`usage: npm run gpu -- ${CHOICES.join("|")}`);
    process.exit(2);
  }
  const changed = apply(gpu, path.resolve(path.dirname(fileURLToPath(import.meta.url)), ".."));
  console.log(
    changed.length === 0
      ? `nothing to change: ${gpu} is chosen already`
      : `changed package.json and package-lock.json for ${gpu}; now run: npm install`,
  );
}
