import { readList } from "./fetch-list.ts";
import type { ListedModel } from "./listed.ts";
import { readUpscalers } from "./listed-upscalers.ts";
import type { ProviderFile } from "./provider-file.ts";

/** One of a provider's lists: where it is, and how it is read. */
export interface ProviderList {
  readonly what: "models" | "upscalers";
  /** Under which it is kept and looked up, for a provider of this id. */
  readonly key: (provider: string) => string;
  readonly path: string;
  readonly query: string;
  /** Null for a text that is no such list. */
  readonly read: (text: string) => Generator<void, ListedModel[] | null>;
}

const upscalersKey = (provider: string): string => `${provider}~upscalers`;

/** The lists that a provider has: the first is the one by which it is judged. */
export function listsOf({
  paths,
  discovery,
}: ProviderFile): readonly [ProviderList, ...ProviderList[]] {
  const { models, upscalers } = paths;
  const own = (provider: string): string => provider;
  const ofModels = {
    ...({ what: "models", key: own, path: models === false ? "/models" : models } as const),
    ...{ query: discovery.query, read: readList },
  };
  if (upscalers === false) return [ofModels];
  const ofUpscalers = {
    what: "upscalers",
    path: upscalers,
    query: "",
    read: readUpscalers,
  } as const;
  return models === false
    ? [{ ...ofUpscalers, key: own }]
    : [ofModels, { ...ofUpscalers, key: upscalersKey }];
}

/** Both lists as one. What the list of upscalers has is described there. */
export function together(lists: readonly (readonly ListedModel[])[]): readonly ListedModel[] {
  const [models = [], upscalers = []] = lists;
  if (upscalers.length === 0) return models;
  const names = new Set(upscalers.map(({ id }) => id.toLowerCase()));
  return [...models.filter(({ id }) => !names.has(id.toLowerCase())), ...upscalers];
}
