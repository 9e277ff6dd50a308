import { setTimeout as sleep } from "node:timers/promises";
import { addModelFile, modelFileText } from "../catalog/add.ts";
import type { Retry } from "../catalog/download.ts";
import { modelsFolder } from "../catalog/files.ts";
import { factsOf, readGguf } from "../catalog/gguf.ts";
import { catalogFolders, loadCatalog } from "../catalog/load.ts";
import { type Pulled, pullWeights } from "../catalog/pull.ts";
import type { HubReference } from "../catalog/reference.ts";
import { prepareFiles } from "../catalog/weights.ts";
import type { Config } from "../config/schema.ts";
import { UserError } from "../lib/user-error.ts";
import { afterPull } from "./after-pull.ts";
import { formatBytes } from "./format.ts";
import { ProgressView } from "./progress.ts";
import { newId, wanted } from "./pull-target.ts";

/** Seconds 1, 2, 4, … 30, a fifth of it by chance so that many machines don't come back as one. */
function backoff(failures: number): number {
  return Math.min(30_000, 1_000 * 2 ** (failures - 1)) * (0.9 + Math.random() * 0.2);
}

function retryWith(view: ProgressView): Retry {
  return {
    attempts: 8,
    delay: backoff,
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
    stallTimeout: 30_000,
    onRetry: (reason, delay) =>
      view.say(`${reason}; trying again in ${Math.ceil(delay / 1_000)} s`),
  };
}

/** `covey pull`: weights of a model of the catalog, or of any GGUF of the hub. */
export async function pull(
  config: Config,
  name: string,
  options: { update: boolean },
): Promise<number> {
  const catalog = loadCatalog(catalogFolders(config.home, config.models.folders));
  const { model, reference } = wanted(catalog, name);
  if (reference === null) {
    if (model !== null) {
      const files = await prepareFiles(model, { home: config.home });
      console.log(`${model.id} is ready: ${Object.values(files).join(", ")}`);
      console.log(afterPull(model, model.id));
    }
    return 0;
  }
  const folder = modelsFolder(config.home);
  const id = model?.id ?? newId(catalog, reference, folder);

  const view = new ProgressView(process.stderr, () => performance.now());
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  let pulled: Pulled;
  try {
    pulled = await pullWeights({
      reference,
      sha256: model?.file.weights.sha256 ?? null,
      folder,
      hub: config.hub,
      update: options.update,
      signal: stop.signal,
      onProgress: (progress) => view.update(progress),
      retry: retryWith(view),
    });
  } catch (error) {
    view.end();
    if (!stop.signal.aborted) throw error;
    console.error(`stopped; npx covey pull ${name} goes on from here`);
    return 130;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
  if (pulled.downloaded) view.end();
  if (model === null) await addPulled(id, reference, pulled, folder);
  console.log(
    pulled.downloaded
      ? `${id} is ready: ${formatBytes(pulled.size)}, sha256 ${pulled.sha256}`
      : `${id} is already here: ${pulled.path}`,
  );
  console.log(afterPull(model, id));
  return 0;
}

async function addPulled(
  id: string,
  reference: HubReference,
  pulled: Pulled,
  folder: string,
): Promise<void> {
  const facts = factsOf(
    await readGguf(pulled.path).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${pulled.path} cannot be used: ${error.message}`);
    }),
  );
  const today = new Date().toISOString().slice(0, 10);
  const file = await addModelFile(folder, id, modelFileText(id, reference, facts, today));
  console.log(`wrote ${file}`);
}
