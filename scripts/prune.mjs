// Runs after `npm install`: removes binaries for other processors and systems. Some of llama.cpp's
// packages name more processors than they are for (linux-arm64 lists x64, to cross-compile), so npm
// installs them; onnxruntime's has those of all systems. Plain Node, since Bun may not be there yet;
// says nothing, never fails an install.
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

/** Onnxruntime's folders, as `linux/x64`, that are for another system or processor. Pure. */
export function foreignRuntimes(folders, platform, arch) {
  const own = `${platform}/${arch}`;
  // Where our own is missing, something is not as we know it: nothing is touched.
  return folders.includes(own) ? folders.filter((folder) => folder !== own) : [];
}

/** Removes them from one node_modules folder; returns their names. */
export function prune(modules, platform = process.platform, arch = process.arch) {
  const llama = path.join(modules, "@node-llama-cpp");
  const onnx = path.join(modules, "onnxruntime-node", "bin", "napi-v6");
  const runtimes = list(onnx).flatMap((system) =>
    list(path.join(onnx, system)).map((processor) => `${system}/${processor}`),
  );
  return [
    ...removed(llama, foreign(list(llama), platform, arch)),
    ...removed(onnx, foreignRuntimes(runtimes, platform, arch)),
  ];
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function removed(folder, names) {
  for (const name of names) {
    try {
      rmSync(path.join(folder, name), { recursive: true, force: true });
    } catch (error) {
      console.warn(`covey: could not remove ${name}: ${error.message}`);
    }
  }
  return names;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  prune(path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../node_modules"));
