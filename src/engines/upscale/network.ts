import { OnnxGraph, type Port, TO_TYPE } from "../onnx/graph.ts";
import { backProjected, PROJECTION_RADIUS } from "./back-projection.ts";
import type { Layer, LayersModel, Weight } from "./layers-model.ts";

/** A network as an ONNX file, and what who cuts images into tiles has to know of it. */
export interface Network {
  readonly onnx: Uint8Array<ArrayBuffer>;
  readonly scale: number;
  /** Pixels of the input, in each direction, that one pixel of the output can depend on. */
  readonly radius: number;
}

/** Name of the one input: `[1, height, width, 3]` bytes, red green blue. */
export const INPUT = "pixels";
/** The answer as bytes, in the input's layout, `scale` times as large. */
export const OUTPUT = "upscaled";
/** What the network itself says, before it is back-projected and rounded: `[1, 3, height, width]` floats, 0 to `range`. */
export const PLANES = "planes";

/**
 * Writes the network as ONNX. Bytes go in and bytes come out, so that turning pixels into planes and
 * back is the runtime's work. A convolution behind an enlargement by repeated pixels is done before
 * it (`foldedKernel`): the same values, from at most 9 × 3 channels instead of at every large pixel.
 * @param range what white is in the network's own numbers
 * @throws Error for a network of another form
 */
export function buildNetwork(model: LayersModel, range: 1 | 255): Network {
  const graph = new OnnxGraph();
  const names = new Map<string, string>();
  const radii = new Map<string, number>();
  const enlarged = new Map<string, number>();
  let scale = 1;
  for (const layer of model.layers) {
    const inputs = (layer.inbound_nodes[0] ?? []).map(([name]) => name);
    const from = inputs.map((name) => known(names, name));
    const radius = Math.max(0, ...inputs.map((name) => known(radii, name)));
    radii.set(layer.name, radius + reach(layer));
    const [first = "", second] = inputs;
    const factor = enlarged.get(first);
    if (inputs.some((name) => enlarged.has(name)) && layer.class_name !== "Conv2D")
      throw new Error(`${layer.name} works on repeated pixels`);
    switch (layer.class_name) {
      case "InputLayer":
        names.set(layer.name, planesOf(graph, range));
        break;
      case "Conv2D": {
        const kernel = known(model.weights, `${layer.name}/kernel`);
        const bias = known(model.weights, `${layer.name}/bias`);
        const convolve = factor === undefined ? convolution : foldedConvolution;
        names.set(layer.name, convolve(graph, from[0] ?? "", kernel, bias, factor ?? 1));
        break;
      }
      case "Activation":
        names.set(layer.name, graph.node("Relu", from));
        break;
      case "Concatenate":
        names.set(layer.name, graph.node("Concat", from, { axis: 1 }));
        break;
      case "Add":
        if (second === undefined || inputs.length > 2)
          throw new Error(`${layer.name} adds not two`);
        names.set(layer.name, graph.node("Add", from));
        break;
      case "MultiplyBeta": {
        const beta = graph.constant(Float32Array.of(layer.config.beta), [1]);
        names.set(layer.name, graph.node("Mul", [...from, beta]));
        break;
      }
      case "UpSampling2D":
        scale *= layer.config.size[0];
        enlarged.set(layer.name, layer.config.size[0]);
        names.set(layer.name, from[0] ?? "");
        break;
      default:
        scale *= layer.config.scale;
        names.set(layer.name, shuffled(graph, from[0] ?? "", layer.config.scale));
    }
  }
  if (scale < 2 || enlarged.has(model.output)) throw new Error("the network enlarges nothing");
  const planes = graph.node("Identity", [known(names, model.output)], {}, PLANES);
  const small = known(names, model.input);
  pixelsOf(graph, backProjected(graph, small, planes, scale, range), range);
  return {
    onnx: graph.encode(...PORTS),
    scale,
    radius: known(radii, model.output) + PROJECTION_RADIUS,
  };
}

const PIXELS = { type: "uint8", shape: [1, null, null, 3] } as const;
const PORTS: readonly [readonly Port[], readonly Port[]] = [
  [{ name: INPUT, ...PIXELS }],
  [
    { name: OUTPUT, ...PIXELS },
    { name: PLANES, type: "float32", shape: [1, 3, null, null] },
  ],
];

/** How far beyond a pixel a layer looks. Behind the enlargement that is less than one pixel of the input. */
function reach(layer: Layer): number {
  return layer.class_name === "Conv2D" ? (layer.config.kernel_size[0] - 1) / 2 : 0;
}

function planesOf(graph: OnnxGraph, range: number): string {
  const floats = graph.node("Cast", [INPUT], { to: TO_TYPE.float32 });
  const planes = graph.node("Transpose", [floats], { perm: [0, 3, 1, 2] });
  if (range === 255) return planes;
  return graph.node("Mul", [planes, graph.constant(Float32Array.of(range / 255), [1])]);
}

function pixelsOf(graph: OnnxGraph, planes: string, range: number): void {
  const scaled =
    range === 255
      ? planes
      : graph.node("Mul", [planes, graph.constant(Float32Array.of(255 / range), [1])]);
  const low = graph.constant(Float32Array.of(0), []);
  const high = graph.constant(Float32Array.of(255), []);
  const clipped = graph.node("Clip", [graph.node("Round", [scaled]), low, high]);
  const bytes = graph.node("Cast", [clipped], { to: TO_TYPE.uint8 });
  graph.node("Transpose", [bytes], { perm: [0, 2, 3, 1] }, OUTPUT);
}

function convolution(graph: OnnxGraph, from: string, kernel: Weight, bias: Weight): string {
  const [height = 1, width = 1, inputs = 1, outputs = 1] = kernel.shape;
  const values = new Float32Array(kernel.values.length);
  // TensorFlow has the outputs innermost, ONNX outermost.
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = 0; i < inputs; i++)
        for (let o = 0; o < outputs; o++, at++)
          values[((o * inputs + i) * height + y) * width + x] = kernel.values[at] ?? 0;
  const weights = graph.constant(values, [outputs, inputs, height, width]);
  const padding = (height - 1) / 2;
  return graph.node("Conv", [from, weights, graph.constant(bias.values, bias.shape)], {
    kernel_shape: [height, width],
    pads: [padding, padding, padding, padding],
  });
}

/** Enlarges by repeated pixels, then convolves with 3 × 3: as a convolution of the small image. */
function foldedConvolution(
  graph: OnnxGraph,
  from: string,
  kernel: Weight,
  bias: Weight,
  factor: number,
): string {
  const [size = 0, , , outputs = 1] = kernel.shape;
  if (size !== 3) throw new Error("expected a kernel of 3 × 3 behind the enlargement");
  const kinds = Math.min(3, factor);
  const folded = foldedKernel(kernel, factor);
  const biases = new Float32Array(kinds * kinds * outputs);
  for (let at = 0; at < biases.length; at++) biases[at] = bias.values[at % outputs] ?? 0;
  const small = convolution(graph, from, folded, { shape: [biases.length], values: biases });
  if (kinds === factor) return shuffled(graph, small, factor);
  const channels: number[] = [];
  for (let y = 0; y < factor; y++)
    for (let x = 0; x < factor; x++)
      for (let o = 0; o < outputs; o++)
        channels.push((kindOf(y, factor) * kinds + kindOf(x, factor)) * outputs + o);
  const indices = graph.constant(channels, [channels.length]);
  return shuffled(graph, graph.node("Gather", [small, indices], { axis: 1 }), factor);
}

/**
 * The kernel over the small image that gives, for each kind of place within a repeated pixel, what
 * `kernel` over the large image gives there: taps that meet the same small pixel are added up. In
 * one direction a place is at the beginning, in the middle (all alike) or at the end of its pixel.
 * @returns outputs in the order `(row's kind, column's kind, output)`
 */
export function foldedKernel(kernel: Weight, factor: number): Weight {
  const [, , inputs = 1, outputs = 1] = kernel.shape;
  const kinds = Math.min(3, factor);
  const all = kinds * kinds * outputs;
  const values = new Float32Array(9 * inputs * all);
  for (let row = 0; row < kinds; row++)
    for (let column = 0; column < kinds; column++)
      for (let y = 0; y < 3; y++)
        for (let x = 0; x < 3; x++) {
          const tap = tapOf(row, y, kinds) * 3 + tapOf(column, x, kinds);
          for (let i = 0; i < inputs; i++)
            for (let o = 0; o < outputs; o++) {
              const at = (tap * inputs + i) * all + (row * kinds + column) * outputs + o;
              const from = ((y * 3 + x) * inputs + i) * outputs + o;
              values[at] = (values[at] ?? 0) + (kernel.values[from] ?? 0);
            }
        }
  return { shape: [3, 3, inputs, all], values };
}

/** Which small pixel, 0 to 2 with its own in the middle, a tap at a place of this kind meets. */
function tapOf(kind: number, tap: number, kinds: number): number {
  if (kind === 0 && tap === 0) return 0;
  return kind === kinds - 1 && tap === 2 ? 2 : 1;
}

function kindOf(place: number, factor: number): number {
  if (place === 0) return 0;
  return place === factor - 1 ? Math.min(3, factor) - 1 : 1;
}

/** TensorFlow's `depthToSpace`. */
function shuffled(graph: OnnxGraph, from: string, factor: number): string {
  return graph.node("DepthToSpace", [from], { blocksize: factor, mode: "DCR" });
}

function known<V>(map: ReadonlyMap<string, V>, name: string): V {
  const value = map.get(name);
  if (value === undefined) throw new Error(`the network has no ${name}`);
  return value;
}
