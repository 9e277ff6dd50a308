import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./processes.ts";

/**
 * The pip package whose source has llama.cpp's. 0.3.36 has one that is newer than node-llama-cpp's, with other
 * matrix kernels; 0.3.35 has one that is older, with the same kernels.
 */
const PACKAGE = "llama-cpp-python";
const VERSION = process.env.LLAMA_SERVER_VERSION ?? "0.3.36";
const OPTIONS = [
  "-DCMAKE_BUILD_TYPE=Release",
  "-DGGML_NATIVE=ON",
  "-DBUILD_SHARED_LIBS=OFF",
  "-DLLAMA_BUILD_TESTS=OFF",
  "-DLLAMA_BUILD_EXAMPLES=OFF",
  "-DLLAMA_BUILD_UI=OFF",
  "-DLLAMA_BUILD_APP=OFF",
  "-DLLAMA_USE_PREBUILT_UI=OFF",
  "-DLLAMA_OPENSSL=OFF",
];

/**
 * The path of llama.cpp's own server: what the variable `LLAMA_SERVER` names, or else one that is
 * built from source the first time, about ten minutes on two processors, and kept in the system's
 * temporary folder. Throws an `Error` that says what is missing.
 */
export async function llamaServer(): Promise<string> {
  const named = process.env.LLAMA_SERVER ?? "";
  if (named !== "") {
    if (!existsSync(named)) throw new Error(`there is no file ${named}, which LLAMA_SERVER names`);
    return named;
  }
  const folder = join(tmpdir(), "covey-llama-server");
  const server = join(folder, `llama-server-${VERSION}`);
  if (existsSync(server)) return server;
  const tools = requireBuildTools();
  const work = join(folder, `building-${process.pid}`);
  mkdirSync(work, { recursive: true });
  console.error(`bench: builds llama.cpp's server from ${PACKAGE} ${VERSION}, once`);
  try {
    renameSync(await build(work, tools), server);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return server;
}

interface BuildTools {
  readonly pip: string;
  readonly cmake: string;
}

function requireBuildTools(): BuildTools {
  const pip = Bun.which("pip3") ?? Bun.which("pip");
  const cmake = Bun.which("cmake");
  const compiler = ["c++", "g++", "clang++"].some((name) => Bun.which(name) !== null);
  const make = ["make", "ninja"].some((name) => Bun.which(name) !== null);
  const missing = [
    ...(pip === null ? ["pip"] : []),
    ...(cmake === null ? ["cmake"] : []),
    ...(compiler ? [] : ["a C++ compiler"]),
    ...(make ? [] : ["make or ninja"]),
  ];
  if (pip !== null && cmake !== null && missing.length === 0) return { pip, cmake };
  throw new Error(
    `llama.cpp's server can't be built: ${missing.join(", ")} not found. On Debian or Ubuntu: ` +
      "apt-get install python3-pip cmake g++ make. Or name one that is built with LLAMA_SERVER=<path>.",
  );
}

/** Returns the path of what was built. */
async function build(work: string, { pip, cmake }: BuildTools): Promise<string> {
  const source = ["--no-deps", "--no-binary", PACKAGE, `${PACKAGE}==${VERSION}`];
  await run([pip, "download", "--quiet", ...source, "--dest", work]);
  const archive = [...new Bun.Glob("*.tar.gz").scanSync({ cwd: work, absolute: true })][0];
  if (archive === undefined) throw new Error(`pip brought no source of ${PACKAGE} ${VERSION}`);
  await run(["tar", "-xzf", archive, "-C", work, "--strip-components=1"]);
  const built = join(work, "build");
  // Without a number, make starts every compiler at once.
  const atOnce = ["--parallel", String(availableParallelism())];
  await run([cmake, "-S", join(work, "vendor", "llama.cpp"), "-B", built, ...OPTIONS]);
  await run([cmake, "--build", built, "--target", "llama-server", ...atOnce]);
  return join(built, "bin", "llama-server");
}

if (import.meta.main) console.log(await llamaServer());
