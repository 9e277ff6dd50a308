// Runs after `npm install`: removes llama.cpp binaries for other processors and systems. Some of
// those packages name more processors than they are for (linux-arm64 lists x64, to cross-compile),
// so npm installs them. Plain Node, since Bun may not be there yet; says nothing, never fails an install.
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const SYSTEMS = { linux: "linux", darwin: "mac", win32: "win" };

/** The packages among `names` that hold binaries for another system or processor. Pure. */
export function foreign(names, platform, arch) {
  const system = SYSTEMS[platform];
  if (system === undefined) return [];
  const processor = arch === "arm" ? "armv7l" : arch;
  const own = `${system}-${processor}`;
  return names.filter(
    (name) =>
      /^(?:linux|mac|win)-(?:x64|arm64|armv7l|riscv64)(?:-|$)/.test(name) &&
      name !== own &&
      !name.startsWith(`${own}-`),
  );
}

/** Removes them from one node_modules folder; returns their names. */
export function prune(modules, platform = process.platform, arch = process.arch) {
  const folder = path.join(modules, "@node-llama-cpp");
  let names;
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const removed = foreign(names, platform, arch);
  for (const name of removed) {
    try {
      rmSync(path.join(folder, name), { recursive: true, force: true });
    } catch (error) {
      console.warn(`covey: could not remove ${name}: ${error.message}`);
    }
  }
  return removed;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  prune(path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../node_modules"));
