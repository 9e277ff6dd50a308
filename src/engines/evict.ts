/** A model that takes memory now. */
export interface LoadedModel {
  readonly id: string;
  readonly bytes: number;
  /** Requests that run on it or wait for it. */
  readonly users: number;
  /** Milliseconds, on any clock. */
  readonly lastUsed: number;
}

export type EvictionPlan =
  /** Unload these, in this order; then it fits. */
  | { readonly kind: "fits"; readonly unload: readonly string[] }
  /** It could fit, but what is in the way is in use. */
  | { readonly kind: "busy" }
  /** It is bigger than the whole budget. */
  | { readonly kind: "too-big" };

/**
 * What to unload so that `needed` more bytes fit into `budget`, least recently used first and never
 * a model that is in use.
 */
export function planEviction(
  loaded: readonly LoadedModel[],
  needed: number,
  budget: number,
): EvictionPlan {
  if (needed > budget) return { kind: "too-big" };
  let free = budget - loaded.reduce((sum, model) => sum + model.bytes, 0);
  const unload: string[] = [];
  const idle = loaded.filter((model) => model.users === 0);
  for (const model of idle.sort((a, b) => a.lastUsed - b.lastUsed)) {
    if (free >= needed) break;
    unload.push(model.id);
    free += model.bytes;
  }
  return free >= needed ? { kind: "fits", unload } : { kind: "busy" };
}

/** Models that nobody has used for `keepAlive` milliseconds. */
export function expired(
  loaded: readonly LoadedModel[],
  keepAlive: number,
  now: number,
): readonly string[] {
  return loaded
    .filter((model) => model.users === 0 && now - model.lastUsed >= keepAlive)
    .map((model) => model.id);
}
