import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../lib/log.ts";
import { createAliases } from "./aliases.ts";
import { liveModels } from "./live-models.ts";
import { loadProviderFiles, SHIPPED_PROVIDERS } from "./providers.ts";
import { settleProviders } from "./settle-providers.ts";

const FILES = loadProviderFiles([SHIPPED_PROVIDERS]);
const NO_ALIASES = createAliases([]);

/** The models of a provider `box` with these, all named in the config. */
function sources(...ids: string[]) {
  const models = ids.map((id) => ({ id, upstreamId: id, aliases: [] }));
  const choice = { ...{ type: "vllm", baseUrl: "http://127.0.0.1:1/v1" }, discover: false };
  const rest = { models, priority: 0, weight: 1, prices: {} };
  const providers = settleProviders({ box: { ...choice, ...rest } }, FILES, () => null);
  return { own: [], providers, aliases: NO_ALIASES };
}

test("models that can't be put together leave those of before, and their lists, as they were", async () => {
  const home = mkdtempSync(join(tmpdir(), "covey-live-"));
  const logged: string[] = [];
  const live = liveModels({
    ...sources("first"),
    ...{ localFacts: () => ({}), home, log: createLog((line) => logged.push(line), false) },
    prepare: ({ id }) => {
      if (id === "second") throw new Error("a planted fault");
    },
  });
  const offered = () => live.index.models().map(({ id }) => id);
  try {
    await live.restore();
    await expect(live.replace(sources("first", "second"))).rejects.toThrow("a planted fault");
    expect([offered(), live.lists().length]).toEqual([["first"], 1]);
    // Whatever rebuilds later, such as another provider's list, starts from those too.
    await live.index.rebuild();
    expect(offered()).toEqual(["first"]);
    await live.replace(sources("third"));
    expect(offered()).toEqual(["third"]);
  } finally {
    await live.stop();
    rmSync(home, { recursive: true, force: true });
  }
});
