import { z } from "zod";
import { OnnxGraph, TO_TYPE } from "../onnx/graph.ts";
import type { StoredTensor } from "./safetensors.ts";

/** What a model's `config.json` says of a BERT. */
export const BertConfig = z.looseObject({
  model_type: z.literal("bert"),
  hidden_act: z.literal("gelu"),
  hidden_size: z.int().min(1),
  num_hidden_layers: z.int().min(1),
  num_attention_heads: z.int().min(1),
  layer_norm_eps: z.number().gt(0),
  max_position_embeddings: z.int().min(1),
  position_embedding_type: z.literal("absolute").default("absolute"),
  vocab_size: z.int().min(1),
  pad_token_id: z.int().min(0).default(0),
});
export type BertConfig = z.infer<typeof BertConfig>;

/**
 * A BERT encoder (Devlin et al., https://arxiv.org/abs/1810.04805) as an ONNX file, with pooling and
 * normalisation behind it, of a model's stored tensors in Hugging Face's names. The steps are the ones
 * that onnxruntime fuses a BERT into, so that nothing is left to its optimiser's patterns.
 *
 * Inputs, of `batch` texts padded on the right to `length` tokens: `ids` int32 [batch, length];
 * `lengths` int32 [batch], the tokens of each; `pooling` float32 [batch, 1, length], the weight of each
 * token in its embedding. Output: `embeddings` float32 [batch, hidden size], of length 1.
 */
export function bertNetwork(
  config: BertConfig,
  tensors: ReadonlyMap<string, StoredTensor>,
): Uint8Array<ArrayBuffer> {
  const graph = new OnnxGraph();
  const { hidden_size: hidden, num_attention_heads: heads } = config;
  const epsilon = { float: config.layer_norm_eps };

  /** In 32 bits: kernels for fewer are slower on a processor. The optimiser does this once, at load. */
  const stored = (name: string): string => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`the weights have no tensor ${name}`);
    const constant = graph.raw(tensor.type, tensor.bytes, tensor.shape);
    return tensor.type === "float32"
      ? constant
      : graph.node("Cast", [constant], { to: TO_TYPE.float32 });
  };
  /** A linear layer's weights lie as [out, in], and are wanted the other way round. */
  const turned = (name: string): string =>
    graph.node("Transpose", [stored(`${name}.weight`)], { perm: [1, 0] });

  const words = graph.node("Gather", [stored("embeddings.word_embeddings.weight"), "ids"]);
  const shape = graph.node("Shape", ["ids"], { start: 1, end: 2 });
  const positions = graph.node("Slice", [
    stored("embeddings.position_embeddings.weight"),
    graph.constant([0], [1]),
    shape,
    graph.constant([0], [1]),
  ]);
  const segments = graph.node("Gather", [
    stored("embeddings.token_type_embeddings.weight"),
    graph.constant([0], []),
  ]);
  const placed = graph.node("Add", [words, graph.node("Add", [positions, segments])]);
  let x = graph.node(
    "LayerNormalization",
    [placed, stored("embeddings.LayerNorm.weight"), stored("embeddings.LayerNorm.bias")],
    { epsilon },
  );

  const addAndNormalise = (before: string, added: string, layer: string): string =>
    graph.node(
      "com.microsoft.SkipLayerNormalization",
      [
        added,
        before,
        stored(`${layer}.LayerNorm.weight`),
        stored(`${layer}.LayerNorm.bias`),
        stored(`${layer}.dense.bias`),
      ],
      { epsilon },
    );

  for (let at = 0; at < config.num_hidden_layers; at++) {
    const layer = `encoder.layer.${at}`;
    const parts = ["query", "key", "value"].map((name) => `${layer}.attention.self.${name}`);
    const attended = graph.node(
      "com.microsoft.Attention",
      [
        x,
        graph.node("Concat", parts.map(turned), { axis: 1 }),
        graph.node(
          "Concat",
          parts.map((name) => stored(`${name}.bias`)),
          { axis: 0 },
        ),
        "lengths",
      ],
      { num_heads: heads },
    );
    const mixed = graph.node("MatMul", [attended, turned(`${layer}.attention.output.dense`)]);
    x = addAndNormalise(x, mixed, `${layer}.attention.output`);
    const wide = graph.node("com.microsoft.BiasGelu", [
      graph.node("MatMul", [x, turned(`${layer}.intermediate.dense`)]),
      stored(`${layer}.intermediate.dense.bias`),
    ]);
    const narrow = graph.node("MatMul", [wide, turned(`${layer}.output.dense`)]);
    x = addAndNormalise(x, narrow, `${layer}.output`);
  }

  const pooled = graph.node("Squeeze", [
    graph.node("MatMul", ["pooling", x]),
    graph.constant([1], [1]),
  ]);
  graph.node("LpNormalization", [pooled], { axis: 1, p: 2 }, "embeddings");
  return graph.encode(
    [
      { name: "ids", type: "int32", shape: [null, null] },
      { name: "lengths", type: "int32", shape: [null] },
      { name: "pooling", type: "float32", shape: [null, 1, null] },
    ],
    [{ name: "embeddings", type: "float32", shape: [null, hidden] }],
  );
}
