import type { LayersModel, Weight } from "../../src/engines/upscale/layers-model.ts";
import type { Raster } from "../../src/engines/upscale/raster.ts";

/** Planes of numbers, one channel after the other within a pixel, as Keras has them. */
interface Planes {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly values: Float64Array;
}

/**
 * The network done layer by layer as Keras defines them, in plain loops and 64-bit numbers: what
 * onnxruntime's answer is held against. Slow, and of nothing that it could share a mistake with.
 */
export function plainly(model: LayersModel, image: Raster, range: 1 | 255): Planes {
  const done = new Map<string, Planes>();
  for (const layer of model.layers) {
    const inputs = (layer.inbound_nodes[0] ?? []).map(([name]) => done.get(name) ?? NONE);
    const [first = NONE, second = NONE] = inputs;
    done.set(
      layer.name,
      (() => {
        switch (layer.class_name) {
          case "InputLayer":
            return {
              ...image,
              values: Float64Array.from(image.pixels, (value) => (value * range) / 255),
            };
          case "Conv2D":
            return convolved(
              first,
              model.weights.get(`${layer.name}/kernel`) ?? NO_WEIGHT,
              model.weights.get(`${layer.name}/bias`) ?? NO_WEIGHT,
            );
          case "Activation":
            return { ...first, values: first.values.map((value) => Math.max(0, value)) };
          case "Concatenate":
            return joined(inputs);
          case "Add":
            return {
              ...first,
              values: first.values.map((value, at) => value + (second.values[at] ?? 0)),
            };
          case "MultiplyBeta":
            return { ...first, values: first.values.map((value) => value * layer.config.beta) };
          case "UpSampling2D":
            return repeated(first, layer.config.size[0]);
          default:
            return shuffled(first, layer.config.scale);
        }
      })(),
    );
  }
  return done.get(model.output) ?? NONE;
}

const NONE: Planes = { width: 0, height: 0, channels: 0, values: new Float64Array() };
const NO_WEIGHT: Weight = { shape: [], values: new Float32Array() };

function convolved(from: Planes, kernel: Weight, bias: Weight): Planes {
  const [size = 1, , inputs = 1, outputs = 1] = kernel.shape;
  const { width, height } = from;
  const half = (size - 1) / 2;
  const values = new Float64Array(width * height * outputs);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * outputs;
      for (let o = 0; o < outputs; o++) values[to + o] = bias.values[o] ?? 0;
      for (let ky = 0; ky < size; ky++)
        for (let kx = 0; kx < size; kx++) {
          const [px, py] = [x + kx - half, y + ky - half];
          if (px < 0 || py < 0 || px >= width || py >= height) continue;
          for (let i = 0; i < inputs; i++) {
            const value = from.values[(py * width + px) * inputs + i] ?? 0;
            if (value === 0) continue;
            const at = ((ky * size + kx) * inputs + i) * outputs;
            for (let o = 0; o < outputs; o++)
              values[to + o] = (values[to + o] ?? 0) + value * (kernel.values[at + o] ?? 0);
          }
        }
    }
  return { width, height, channels: outputs, values };
}

function joined(parts: readonly Planes[]): Planes {
  const [{ width, height } = NONE] = parts;
  const channels = parts.reduce((sum, part) => sum + part.channels, 0);
  const values = new Float64Array(width * height * channels);
  for (let pixel = 0, to = 0; pixel < width * height; pixel++)
    for (const part of parts)
      for (let channel = 0; channel < part.channels; channel++, to++)
        values[to] = part.values[pixel * part.channels + channel] ?? 0;
  return { width, height, channels, values };
}

function repeated({ width, height, channels, values }: Planes, factor: number): Planes {
  return made(width * factor, height * factor, channels, (x, y, channel) => {
    const from = Math.floor(y / factor) * width + Math.floor(x / factor);
    return values[from * channels + channel] ?? 0;
  });
}

function shuffled({ width, height, channels, values }: Planes, factor: number): Planes {
  const outputs = channels / factor ** 2;
  return made(width * factor, height * factor, outputs, (x, y, channel) => {
    const from = Math.floor(y / factor) * width + Math.floor(x / factor);
    const place = (y % factor) * factor + (x % factor);
    return values[from * channels + place * outputs + channel] ?? 0;
  });
}

function made(
  width: number,
  height: number,
  channels: number,
  value: (x: number, y: number, channel: number) => number,
): Planes {
  const values = new Float64Array(width * height * channels);
  for (let at = 0; at < values.length; at++) {
    const pixel = Math.floor(at / channels);
    values[at] = value(pixel % width, Math.floor(pixel / width), at % channels);
  }
  return { width, height, channels, values };
}
