import { loadAliases } from "../catalog/aliases.ts";
import { readListed } from "../catalog/listed.ts";
import { CurrentModels } from "../catalog/model-index.ts";
import type { Catalog } from "../catalog/resolve.ts";
import { routingWarnings } from "../catalog/routing-names.ts";
import type { SettledProvider } from "../catalog/settle-providers.ts";
import type { Config } from "../config/schema.ts";

/**
 * Names that `[routing.models]` speaks of and that no model has, one line each. `lists` are the ids that
 * providers list; one that could not be asked is named beside a name that it might have.
 */
export async function checkRouting(
  config: Config,
  catalog: Catalog,
  providers: readonly SettledProvider[],
  lists: ReadonlyMap<string, readonly string[]>,
): Promise<string[]> {
  const rules = config.routing.models;
  if (Object.keys(rules).length === 0) return [];
  const listed = providers.map((provider) => ({
    provider,
    listed: provider.discover
      ? (lists.get(provider.settings.id) ?? []).flatMap((id) => readListed(id) ?? [])
      : [],
  }));
  const input = {
    own: catalog.models,
    localFacts: () => ({}),
    aliases: loadAliases(config.home),
    providers: listed,
  };
  const index = new CurrentModels(() => input);
  await index.rebuild();
  const states = providers
    .filter(({ discover }) => discover)
    .map(({ settings: { id, missingKey } }) => ({
      provider: id,
      models: lists.get(id)?.length ?? 0,
      trouble: lists.has(id) ? null : "it was not asked, or did not answer",
      missingKey,
    }));
  return routingWarnings(rules, index, states, config.place);
}
