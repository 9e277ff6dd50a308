import { readFileSync } from "node:fs";
import { loadCatalog, SHIPPED_MODELS } from "../../src/catalog/load.ts";
import { type LayersModel, readLayersModel } from "../../src/engines/upscale/layers-model.ts";
import { type NetworkFiles, networksOf } from "../../src/engines/upscale/network-files.ts";
import { openNetworks } from "../../src/engines/upscale/networks.ts";
import { ROOT } from "../covey.ts";

export type Family = "esrgan-medium" | "esrgan-thick";

/** The networks of a model that ships, as its file has them. */
export function shipped(family: Family): { files: readonly NetworkFiles[]; range: 1 | 255 } {
  const model = loadCatalog([SHIPPED_MODELS]).models.find(({ id }) => id === `covey/${family}`);
  if (model?.file.upscale === undefined || model.file.weights.source !== "packages")
    throw new Error(`covey/${family} is no model of ours`);
  const { files } = model.file.weights;
  const paths = Object.entries(files).map(
    ([role, file]) => [role, `${ROOT}/node_modules/${file.package}/${file.path}`] as const,
  );
  const sizeOf = (role: string) => files[role]?.size ?? 0;
  const networks = networksOf(Object.fromEntries(paths), sizeOf);
  return { files: networks, range: model.file.upscale.range };
}

export function open(family: Family) {
  const { files, range } = shipped(family);
  return openNetworks(files, range, 1);
}

export function layersOf(family: Family, scale: number): LayersModel {
  const files = shipped(family).files.find((network) => network.scale === scale);
  if (files === undefined) throw new Error(`${family} has no network for ${scale} times`);
  const shards = files.shards.map((path) => readFileSync(path));
  return readLayersModel(readFileSync(files.model, "utf8"), shards);
}
