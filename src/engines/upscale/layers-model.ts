import { z } from "zod";

/**
 * A network as Keras describes it and TensorFlow.js stores it: `model.json` and the weights it names,
 * 32-bit floats one after the other. Only what super-resolution networks are made of is read.
 */

const same = z.literal("same");
const inbound = z.tuple([z.string(), z.literal(0), z.literal(0), z.looseObject({})]);
const common = { name: z.string(), inbound_nodes: z.array(z.array(inbound)) };
const square = z.tuple([z.int().min(1), z.int().min(1)]);
const unit = z.tuple([z.literal(1), z.literal(1)]);
const last = z.literal("channels_last");

const layer = z.discriminatedUnion("class_name", [
  z.object({ class_name: z.literal("InputLayer"), ...common }),
  z.object({
    class_name: z.literal("Conv2D"),
    ...common,
    config: z
      .object({
        filters: z.int().min(1),
        kernel_size: square,
        strides: unit,
        padding: z.enum(["same", "valid"]),
        data_format: last,
        dilation_rate: unit,
        groups: z.literal(1),
        activation: z.literal("linear"),
        use_bias: z.literal(true),
      })
      .refine(
        ({ padding, kernel_size: [height, width] }) =>
          height === width && height % 2 === 1 && (padding === same.value || height === 1),
        "expected a square kernel that keeps the image's size",
      ),
  }),
  z.object({
    class_name: z.literal("Activation"),
    ...common,
    config: z.object({ activation: z.literal("relu") }),
  }),
  z.object({
    class_name: z.literal("Concatenate"),
    ...common,
    config: z.object({ axis: z.union([z.literal(3), z.literal(-1)]) }),
  }),
  z.object({ class_name: z.literal("Add"), ...common }),
  z.object({
    class_name: z.literal("UpSampling2D"),
    ...common,
    config: z.object({
      size: square,
      data_format: last,
      interpolation: z.literal("nearest"),
    }),
  }),
  // The two that TensorFlow.js does not have itself: `x * beta`, and channels put side by side as pixels.
  z.object({
    class_name: z.literal("MultiplyBeta"),
    ...common,
    config: z.object({ beta: z.number() }),
  }),
  z.object({
    class_name: z.enum(["PixelShuffle2x", "PixelShuffle3x", "PixelShuffle4x", "PixelShuffle8x"]),
    ...common,
    config: z.object({ scale: z.int().min(2) }),
  }),
]);
export type Layer = z.infer<typeof layer>;

const modelJson = z.object({
  format: z.literal("layers-model"),
  modelTopology: z.object({
    model_config: z.object({
      config: z.object({
        layers: z.array(layer),
        input_layers: z.tuple([z.tuple([z.string(), z.literal(0), z.literal(0)])]),
        output_layers: z.tuple([z.tuple([z.string(), z.literal(0), z.literal(0)])]),
      }),
    }),
  }),
  weightsManifest: z
    .array(
      z.object({
        weights: z.array(
          z.strictObject({
            name: z.string(),
            shape: z.array(z.int().min(1)),
            dtype: z.literal("float32"),
          }),
        ),
      }),
    )
    .length(1),
});

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface LayersModel {
  /** Each after those it takes from. */
  readonly layers: readonly Layer[];
  readonly input: string;
  readonly output: string;
  readonly weights: ReadonlyMap<string, Weight>;
}

/**
 * @param json the text of `model.json`
 * @param shards the weights' files in the order it names them
 * @throws Error where it is no such network
 */
export function readLayersModel(json: string, shards: readonly Uint8Array[]): LayersModel {
  const { modelTopology, weightsManifest } = modelJson.parse(JSON.parse(json));
  const { layers, input_layers, output_layers } = modelTopology.model_config.config;
  const bytes = joined(shards);
  const weights = new Map<string, Weight>();
  let at = 0;
  for (const { name, shape } of weightsManifest[0]?.weights ?? []) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (at + count * 4 > bytes.length) throw new Error(`the weights end before ${name}`);
    weights.set(name, { shape, values: new Float32Array(bytes.buffer, at, count) });
    at += count * 4;
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many of weights`);
  return { layers, input: input_layers[0][0], output: output_layers[0][0], weights };
}

/** In memory that begins where numbers of 32 bits may. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
