import { access, constants, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { catalogFolders, loadCatalog } from "../catalog/load.ts";
import { readProviderFiles } from "../catalog/providers.ts";
import { type Catalog, resolve } from "../catalog/resolve.ts";
import {
  faultWarnings,
  providerWarnings,
  type SettledProvider,
  settleProviders,
} from "../catalog/settle-providers.ts";
import { type ConfigFlags, loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { engineInstalled } from "../lib/engine-installed.ts";
import { UserError } from "../lib/user-error.ts";
import { holderOf } from "../store/index.ts";
import { keyFindings } from "./check-keys.ts";
import { tryProvider } from "./check-provider.ts";
import { checkRouting } from "./check-routing.ts";
import { serviceFindings } from "./check-services.ts";
import { type Finding, finding, messageOf } from "./finding.ts";
import { formatBytes } from "./format.ts";
import { describeModel } from "./models.ts";

/** Whether it can be listened on; nothing is answered. The server of the home folder itself may have it. */
function tryPort({ home, server: { host, port } }: Config): Promise<string> {
  const own = holderOf(home);
  if (own !== null && own.address === `${host}:${port}`)
    return Promise.resolve(`${host}:${port} is where the server of ${home} listens (${own.who})`);
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

/** Without the engine Covey is a gateway to providers, which is nothing wrong while there is one. */
export function engineFinding(isInstalled: boolean, providers: number): Finding {
  if (isInstalled) return { mark: "✓", text: "engine: node-llama-cpp is installed" };
  return providers > 0
    ? {
        mark: "–",
        text: "engine: not installed, this is a gateway only; npm install adds it",
      }
    : {
        mark: "✗",
        text: "engine: not installed, so no model can run here: run npm install, or name a server that has models under [providers]",
      };
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
  const tooBig = rows.flatMap(({ id, state, needed }) =>
    state === "too_big" && needed !== null ? [`${id} needs ${formatBytes(needed)}`] : [],
  );
  if (tooBig.length > 0)
    throw new UserError(
      `too big for the memory budget of ${formatBytes(config.engine.memoryBudget)}: ${tooBig.join(", ")}; raise memory_budget under [engine]`,
    );
  if (ready.length === 0 && served === 0)
    throw new UserError(
      `no model is ready: ${(await describeModel(starter, config)).detail ?? "npx covey models tells why"}`,
    );
  return `${ready.length} of ${rows.length} models are ready to load`;
}

/** The ids that each provider was found to list, by its own id. */
type Lists = Map<string, readonly string[]>;

/** One for each provider, all asked at once; one without its key is not asked. */
async function providerFindings(
  providers: readonly SettledProvider[],
  lists: Lists,
): Promise<Finding[]> {
  const asked = await Promise.all(
    providers
      .filter(({ settings }) => settings.missingKey === null)
      .map((provider) =>
        finding(`provider ${provider.settings.id}`, async () => {
          const { text, ids } = await tryProvider(provider);
          lists.set(provider.settings.id, ids);
          return text;
        }),
      ),
  );
  const lacking = providerWarnings(providers).map((text): Finding => ({ mark: "✗", text }));
  return [...lacking, ...asked];
}

interface Read {
  readonly config: Config;
  readonly providers: readonly SettledProvider[];
  /** What is wrong with provider files that nobody needs. */
  readonly faults: readonly string[];
}

/** @throws UserError, one line a problem */
function readConfig(flags: ConfigFlags): Read {
  const config = loadConfig({ flags });
  const { place, secret } = config;
  const { files, faults } = readProviderFiles(config.home);
  const providers = settleProviders(config.providers, files, secret, { faults, place });
  return { config, providers, faults: faultWarnings(faults) };
}

/** Every check, in the order in which one needs the other; those after a bad config are left out. */
export async function findings(flags: ConfigFlags): Promise<Finding[]> {
  let read: Read;
  try {
    read = readConfig(flags);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message.split("\n").map((text) => ({ mark: "✗", text: `config: ${text}` }));
  }
  const { config, providers, faults } = read;
  const results: Finding[] = [
    { mark: "✓", text: `config: ${config.file ?? "no covey.toml, the defaults"}` },
    ...[...config.warnings, ...faults].map(
      (text): Finding => ({ mark: "✗", text: `config: ${text}` }),
    ),
  ];
  let catalog: Catalog | undefined;
  results.push(
    await finding("catalog", () => {
      const loaded = loadCatalog(catalogFolders(config.home, config.models.folders));
      catalog = loaded;
      const { models, replaced } = loaded;
      const own = replaced.map(({ id, file }) => `; ${file} replaces ${id}`).join("");
      return `${models.length} models are known${own}`;
    }),
  );
  const known = catalog;
  if (known !== undefined) results.push(await finding("weights", () => tryWeights(known, config)));
  const lists: Lists = new Map();
  results.push(
    await finding("home", () => tryHome(config.home)),
    ...(await serviceFindings(config)),
    ...(await keyFindings(config)),
    await finding("port", () => tryPort(config)),
    engineFinding(engineInstalled(), Object.keys(config.providers).length),
    ...(await providerFindings(providers, lists)),
  );
  if (known !== undefined)
    for (const text of await checkRouting(config, known, providers, lists))
      results.push({ mark: "✗", text: `config: ${text}` });
  return results;
}

/** `covey check`: 0 when everything is right, else 1. */
export async function check(flags: ConfigFlags): Promise<number> {
  const results = await findings(flags);
  for (const { mark, text } of results) console.log(`${mark} ${text}`);
  return results.some(({ mark }) => mark === "✗") ? 1 : 0;
}
