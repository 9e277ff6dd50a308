import type { ListedModel } from "./listed.ts";
import type { ChosenModel, SettledProvider } from "./settle-providers.ts";

/** One model at one provider: named in the config, on the provider's own list, or both. */
export interface Entry {
  readonly provider: SettledProvider;
  /** What the config calls it, else what the provider does. */
  readonly id: string;
  /** What the provider calls it. */
  readonly upstreamId: string;
  readonly chosen: ChosenModel | null;
  readonly listed: ListedModel | null;
}

/** A provider with the models on its list; none where it is not fetched, or not yet. */
export interface ListedProvider {
  readonly provider: SettledProvider;
  readonly listed: readonly ListedModel[];
}

/**
 * All models at all providers: those the config names first, with what the list says of them, then
 * the rest of each list. Yields between models.
 */
export function* entriesOf(providers: readonly ListedProvider[]): Generator<void, Entry[]> {
  const chosen: Entry[] = [];
  const rest: Entry[] = [];
  for (const { provider, listed } of providers) {
    const wanted = new Map(
      provider.choice.models.map((model) => [(model.upstreamId ?? model.id).toLowerCase(), model]),
    );
    const found = new Map<ChosenModel, ListedModel>();
    for (const model of listed) {
      const upstreamId = model.upscaler?.name ?? model.id;
      const choice =
        wanted.size === 0
          ? undefined
          : (wanted.get(upstreamId.toLowerCase()) ?? wanted.get(model.id.toLowerCase()));
      if (choice !== undefined) found.set(choice, model);
      else rest.push({ provider, id: model.id, upstreamId, chosen: null, listed: model });
      yield;
    }
    for (const model of provider.choice.models)
      chosen.push({
        provider,
        id: model.id,
        upstreamId: found.get(model)?.upscaler?.name ?? model.upstreamId ?? model.id,
        chosen: model,
        listed: found.get(model) ?? null,
      });
  }
  return [...chosen, ...rest];
}
