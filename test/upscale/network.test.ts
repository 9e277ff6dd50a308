import { expect, setDefaultTimeout, test } from "bun:test";
import { buildNetwork, INPUT, OUTPUT, PLANES } from "../../src/engines/upscale/network.ts";
import { DRAWINGS } from "./drawings.ts";
import { likeness, reduced } from "./likeness.ts";
import { plainly } from "./plain-network.ts";
import { type Family, layersOf, shipped } from "./weights.ts";

/** The networks as onnxruntime runs them, beside the same done layer by layer in plain loops. */

setDefaultTimeout(120_000);

const NETWORKS: readonly (readonly [Family, scale: number, side: number])[] = [
  ["esrgan-medium", 2, 9],
  ["esrgan-medium", 3, 9],
  ["esrgan-medium", 4, 9],
  ["esrgan-thick", 3, 5],
  ["esrgan-thick", 8, 5],
];

test.each(NETWORKS)("%s enlarges %d times as its layers say", async (family, scale, side) => {
  const ort = await import("onnxruntime-node");
  const image = DRAWINGS["flat colours"]?.(side);
  if (image === undefined) throw new Error("no drawing");
  const { range } = shipped(family);
  const model = layersOf(family, scale);
  const network = buildNetwork(model, range);
  expect(network.scale).toBe(scale);
  const session = await ort.InferenceSession.create(network.onnx, { intraOpNumThreads: 1 });
  const input = new ort.Tensor("uint8", image.pixels, [1, side, side, 3]);
  const answer = await session.run({ [INPUT]: input });
  const planes = answer[PLANES]?.data;
  if (!(planes instanceof Float32Array)) throw new Error("no planes");

  const { width, height, values } = plainly(model, image, range);
  expect([width, height]).toEqual([side * scale, side * scale]);
  let worst = 0;
  for (const [at, value] of values.entries()) {
    const plane = (at % 3) * width * height + Math.floor(at / 3);
    worst = Math.max(worst, Math.abs((planes[plane] ?? 0) - value) / range);
  }
  expect(worst).toBeLessThan(1e-3);

  // Back-projected: made small again it is nearer to what came in than the network's own answer was.
  const pixels = answer[OUTPUT]?.data;
  if (!(pixels instanceof Uint8Array)) throw new Error("no pixels");
  const own = { width, height, channels: 3, pixels: bytes(values, 255 / range) } as const;
  const small = await Promise.all([own, { ...own, pixels }].map((large) => reduced(large, scale)));
  const [before = 0, after = 0] = small.map((one) => likeness(one, image, 0).psnr);
  expect(after).toBeGreaterThan(before + 3);
});

function bytes(values: Float64Array, factor: number): Uint8Array {
  return Uint8Array.from(values, (value) => Math.round(Math.min(255, Math.max(0, value * factor))));
}
