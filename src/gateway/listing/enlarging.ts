import { KERNELS } from "../../contract/upscale.ts";
import { plainUpscaler } from "../../lib/upscaler-name.ts";
import type { Caller, Model, Target } from "../../types.ts";
import { type Gateway, isServable, LOCAL, mayAnswer, stateOf } from "../gateway.ts";
import { mayAsk } from "../permit.ts";
import type { Preferences } from "../preferences.ts";

/** Where a caller wants its image to be enlarged, as far as that chooses a model. */
export type Place = Pick<Preferences, "order" | "only" | "ignore">;

export const ANYWHERE: Place = { order: [], only: null, ignore: [] };

/** All models that enlarge images, ours first. */
export function enlarging(gateway: Gateway): Model[] {
  const all = gateway.models.models().filter(({ file }) => file.upscale !== undefined);
  return all.toSorted((one, other) => Number(isOurs(other)) - Number(isOurs(one)));
}

/** Those that can answer where the caller wants it, and that its key and its plan let answer; best first. */
export function usable(gateway: Gateway, caller: Caller, place: Place = ANYWHERE): Model[] {
  const can = enlarging(gateway).filter(
    (model) => mayAsk(gateway.plans, caller, model) && isServable(gateway, model),
  );
  const ranked = can.flatMap((model) => {
    const rank = rankOf(gateway, model, place);
    return rank === null ? [] : [{ model, rank }];
  });
  return ranked.toSorted((one, other) => compare(one.rank, other.rank)).map(({ model }) => model);
}

/** In the caller's order, by the config's priority, and whether it runs here: the lowest first. */
type Rank = readonly [wanted: number, priority: number, elsewhere: number];

function compare(one: Rank, other: Rank): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

/** That of its best target; null where the caller rules all out. */
function rankOf(gateway: Gateway, model: Model, { order, only, ignore }: Place): Rank | null {
  const ranks = gateway.models.targets(model).flatMap((target): Rank[] => {
    const names = gateway.routing.providerNames(target.provider);
    const isNamed = (list: readonly string[]) => list.some((name) => names.includes(name));
    if (!canAnswer(gateway, target) || isNamed(ignore) || (only !== null && !isNamed(only)))
      return [];
    const wanted = order.findIndex((name) => names.includes(name));
    const elsewhere = target.provider === LOCAL ? 0 : 1;
    return [[wanted === -1 ? order.length : wanted, target.priority, elsewhere]];
  });
  return ranks.toSorted(compare)[0] ?? null;
}

function canAnswer(gateway: Gateway, target: Target): boolean {
  const state = stateOf(gateway, target);
  return mayAnswer(state) || state.until !== undefined;
}

/** Whether it has an upscaler of that name: a network, or a kernel where it does these too. */
export function has({ file: { upscale } }: Model, name: string): boolean {
  if (upscale === undefined) return false;
  const plain = plainUpscaler(name);
  if (isKernel(name)) return upscale.kernels;
  return Object.keys(upscale.names).some((own) => plainUpscaler(own) === plain);
}

export function isKernel(name: string): boolean {
  return KERNELS.some((kernel) => plainUpscaler(kernel) === plainUpscaler(name));
}

function isOurs({ file }: Model): boolean {
  return file.engine === "upscale";
}
