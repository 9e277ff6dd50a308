import { access, constants, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { catalogFolders, loadCatalog } from "../catalog/load.ts";
import { type Catalog, resolve } from "../catalog/resolve.ts";
import { locateWeights } from "../catalog/weights.ts";
import { type ConfigFlags, loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { UserError } from "../lib/user-error.ts";
import { formatBytes } from "./format.ts";
import { describeModel } from "./models.ts";

interface Finding {
  readonly ok: boolean;
  readonly text: string;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Runs one check; what it throws is the finding. */
async function finding(name: string, run: () => string | Promise<string>): Promise<Finding> {
  try {
    return { ok: true, text: `${name}: ${await run()}` };
  } catch (error) {
    return { ok: false, text: `${name}: ${messageOf(error)}` };
  }
}

/** Whether it can be listened on; nothing is answered. */
function tryPort(host: string, port: number): Promise<string> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", (error) => {
      const code = "code" in error ? error.code : "";
      fail(
        new UserError(
          code === "EADDRINUSE"
            ? `${host}:${port} is in use: stop what listens there, or choose another with --port`
            : `${host}:${port} cannot be listened on: ${error.message}`,
        ),
      );
    });
    server.listen(port, host, () => server.close(() => done(`${host}:${port} is free`)));
  });
}

async function tryHome(home: string): Promise<string> {
  try {
    await mkdir(home, { recursive: true });
    await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
    return `${home} can be written`;
  } catch (error) {
    throw new UserError(
      `${home} cannot be written (${messageOf(error)}): choose another with --home`,
    );
  }
}

function tryEngine(): string {
  try {
    createRequire(import.meta.url).resolve("node-llama-cpp");
    return "node-llama-cpp is installed";
  } catch {
    throw new UserError(
      "node-llama-cpp is not installed, so no model can run here: run npm install",
    );
  }
}

async function tryWeights(catalog: Catalog, config: Config): Promise<string> {
  const rows = await Promise.all(catalog.models.map((model) => describeModel(model, config)));
  const ready = rows.filter((row) => row.state === "ready");
  const served = Object.keys(config.providers).length;
  const starter = resolve(catalog, config.models.starter);
  if (starter === undefined)
    throw new UserError(
      `there is no model "${config.models.starter}", which [models] starter names`,
    );
  if (ready.length === 0 && served === 0)
    throw new UserError(
      `no model is ready: ${(await locateWeights(starter, config)).reason ?? ""}`,
    );
  const tooBig = ready.filter((row) => row.fits === false).map((row) => row.id);
  if (tooBig.length > 0)
    throw new UserError(
      `too big for the memory budget of ${formatBytes(config.engine.memoryBudget)}: ${tooBig.join(", ")}; raise [engine] memory_budget`,
    );
  return `${ready.length} of ${rows.length} models are ready to load`;
}

/** Every check, in the order in which one needs the other; those after a bad config are left out. */
export async function findings(flags: ConfigFlags): Promise<Finding[]> {
  let config: Config;
  try {
    config = loadConfig({ flags });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message.split("\n").map((text) => ({ ok: false, text: `config: ${text}` }));
  }
  const results: Finding[] = [
    { ok: true, text: `config: ${config.file ?? "no covey.toml, the defaults"}` },
    ...config.warnings.map((text) => ({ ok: false, text: `config: ${text}` })),
  ];
  let catalog: Catalog | undefined;
  results.push(
    await finding("catalog", () => {
      catalog = loadCatalog(catalogFolders(config.home, config.models.folders));
      return `${catalog.models.length} models are known`;
    }),
  );
  const known = catalog;
  if (known !== undefined) results.push(await finding("weights", () => tryWeights(known, config)));
  results.push(
    await finding("home", () => tryHome(config.home)),
    await finding("port", () => tryPort(config.server.host, config.server.port)),
    await finding("engine", tryEngine),
  );
  return results;
}

/** `covey check`: 0 when everything is right, else 1. */
export async function check(flags: ConfigFlags): Promise<number> {
  const results = await findings(flags);
  for (const { ok, text } of results) console.log(`${ok ? "✓" : "✗"} ${text}`);
  return results.every(({ ok }) => ok) ? 0 : 1;
}
