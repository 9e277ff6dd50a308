import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { notHere } from "../needs.ts";

/** One SDK, and how its client program is run. */
export interface Sdk {
  readonly name: string;
  readonly command: readonly string[];
}

const HERE = import.meta.dir;
const VENV = join(HERE, ".venv");
const PYTHON = join(VENV, "bin", "python");
const NODE_CLIENT = join(HERE, "client.mjs");

let node: Promise<boolean> | null = null;

/**
 * OpenAI's own SDKs that can be run here, installed at the first use into this folder. What cannot
 * be installed is left out, with a line that says why.
 */
export async function prepareSdks(): Promise<Sdk[]> {
  node ??= installNode();
  const [hasNode, hasPython] = await Promise.all([node, installPython()]);
  return [
    ...(hasNode
      ? [
          { name: "openai-node 7.55.0 on Bun", command: [process.execPath, NODE_CLIENT, "openai"] },
          { name: "openai-node 6.49.0 on Node", command: ["node", NODE_CLIENT, "openai-6"] },
        ]
      : []),
    ...(hasPython
      ? [{ name: "openai-python 1.109.1", command: [PYTHON, join(HERE, "client.py")] }]
      : []),
  ];
}

/** The SDKs of others, all for Node; OpenRouter's own is the first. None where they can't be installed. */
export async function prepareOthers(): Promise<Sdk[]> {
  node ??= installNode();
  if (!(await node)) return [];
  const run = (file: string, ...args: string[]) => ["node", join(HERE, file), ...args];
  return [
    { name: "@openrouter/sdk 1.3.19", command: run("openrouter.mjs") },
    { name: "ai 7.0.173 with OpenRouter's provider", command: run("vercel.mjs", "openrouter") },
    { name: "ai 7.0.173 with openai-compatible", command: run("vercel.mjs", "compatible") },
    { name: "@langchain/openai 1.6.0", command: run("langchain.mjs") },
  ];
}

async function installNode(): Promise<boolean> {
  const wanted: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(HERE, "package.json"), "utf8"),
  );
  const isInstalled = Object.entries(wanted.dependencies).every(([name, version]) => {
    const file = join(HERE, "node_modules", name, "package.json");
    // `npm:openai@6.49.0` is the version of another name.
    return existsSync(file) && version.endsWith(JSON.parse(readFileSync(file, "utf8")).version);
  });
  if (isInstalled) return true;
  console.log("installing the SDKs for Node into test/sdk, once…");
  const failure = await run(["npm", "ci"]);
  return failure === null || notHere(`npm ci in test/sdk fails: ${failure}`);
}

async function installPython(): Promise<boolean> {
  const wanted = readFileSync(join(HERE, "requirements.txt"), "utf8").trim();
  const [name = "", version = ""] = wanted.split("==");
  const check = `import importlib.metadata as m; assert m.version("${name}") == "${version}"`;
  if (existsSync(PYTHON) && (await run([PYTHON, "-c", check])) === null) return true;
  console.log("installing OpenAI's SDK for Python into test/sdk/.venv, once…");
  rmSync(VENV, { recursive: true, force: true });
  const failure =
    (await run(["python3", "-m", "venv", VENV])) ??
    (await run([PYTHON, "-m", "pip", "install", "-q", "-r", join(HERE, "requirements.txt")]));
  return (
    failure === null ||
    notHere(`install python3 and python3-venv (${wanted} could not be installed: ${failure})`)
  );
}

/** Null when it went well, else the last line of what it said. */
async function run(command: readonly string[]): Promise<string | null> {
  const [program = ""] = command;
  if (Bun.which(program) === null) return `there is no ${program}`;
  const child = Bun.spawn([...command], {
    cwd: HERE,
    env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: "1" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = (await child.stderr.text()).trim().split("\n");
  return (await child.exited) === 0 ? null : (said.at(-1) ?? "no reason given");
}
