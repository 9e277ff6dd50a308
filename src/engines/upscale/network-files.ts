import type { Model } from "../../types.ts";
import type { WeightPaths } from "../kind.ts";
import type { Upscalers } from "./enlarge.ts";

/** Where one network lies: its `model.json`, and its weights in the order that it names them. */
export interface NetworkFiles {
  readonly scale: number;
  readonly model: string;
  readonly shards: readonly string[];
  /** Of its weights. */
  readonly bytes: number;
}

/** What is known of networks without opening them. */
export type KnownNetworks = Pick<Upscalers, "scales" | "weights">;

const NETWORK = /^x([2-8])$/;
/** They are float32. */
const BYTES_OF_A_WEIGHT = 4;

/** Of the roles and their sizes in bytes: `x4` is the network that enlarges 4 times, `x4_1`, `x4_2`, … are its weights in order. */
export function networksOf(files: WeightPaths, sizeOf: (role: string) => number): NetworkFiles[] {
  return Object.entries(files).flatMap(([role, model]): NetworkFiles[] => {
    const scale = NETWORK.exec(role)?.[1];
    if (scale === undefined) return [];
    const shards: string[] = [];
    let bytes = 0;
    for (
      let path = files[`${role}_1`];
      path !== undefined;
      path = files[`${role}_${shards.length + 1}`]
    ) {
      shards.push(path);
      bytes += sizeOf(`${role}_${shards.length}`);
    }
    return [{ scale: Number(scale), model, shards, bytes }];
  });
}

/** Bytes of a model's files by their roles. */
export function sizesOf(weights: Model["file"]["weights"]): (role: string) => number {
  const files = weights?.source === "packages" ? weights.files : {};
  return (role) => files[role]?.size ?? 0;
}

/** Scales from the smallest, and how many numbers each network has. */
export function knownOf(all: readonly Pick<NetworkFiles, "scale" | "bytes">[]): KnownNetworks {
  return {
    scales: all.map(({ scale }) => scale).toSorted((one, other) => one - other),
    weights: (scale) =>
      (all.find((network) => network.scale === scale)?.bytes ?? 0) / BYTES_OF_A_WEIGHT,
  };
}

/** Of a model, as its file tells. */
export function networksIn({ weights }: Pick<Model["file"], "weights">): KnownNetworks {
  const files = weights?.source === "packages" ? weights.files : {};
  const roles = Object.fromEntries(Object.keys(files).map((role) => [role, role]));
  return knownOf(networksOf(roles, sizesOf(weights)));
}
