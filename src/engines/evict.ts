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

/** What the model that is about to load takes, and what all of them may. */
export interface Room {
  readonly bytes: number;
  readonly budget: number;
  /** Most models at once; 0 is as many as fit. */
  readonly maxLoaded: number;
}

/** Makes room for one more model: least recently used first, and never a model that is in use. */
export function planEviction(loaded: readonly LoadedModel[], room: Room): EvictionPlan {
  const { bytes, budget } = room;
  if (bytes > budget) return { kind: "too-big" };
  let free = budget - loaded.reduce((sum, model) => sum + model.bytes, 0);
  let places = (room.maxLoaded || Number.POSITIVE_INFINITY) - loaded.length;
  const unload: string[] = [];
  const idle = loaded.filter((model) => model.users === 0);
  for (const model of idle.sort((a, b) => a.lastUsed - b.lastUsed)) {
    if (free >= bytes && places >= 1) break;
    unload.push(model.id);
    free += model.bytes;
    places++;
  }
  return free >= bytes && places >= 1 ? { kind: "fits", unload } : { kind: "busy" };
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
