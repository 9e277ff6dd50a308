import { z } from "zod";

/** One tensor of a file: its bytes lie in the file, uncopied. */
export interface StoredTensor {
  readonly type: "float32" | "float16";
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

const TYPES: Readonly<Record<string, { type: StoredTensor["type"]; size: number }>> = {
  F32: { type: "float32", size: 4 },
  F16: { type: "float16", size: 2 },
};

/**
 * The tensors of floats in a safetensors file, by name
 * (https://github.com/huggingface/safetensors#format). Throws for a file that is not one.
 */
export function readSafetensors(file: Uint8Array): ReadonlyMap<string, StoredTensor> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.byteLength < 8) throw new Error("not a safetensors file: it is too short");
  const headerLength = Number(view.getBigUint64(0, true));
  const start = 8 + headerLength;
  if (!(start <= file.byteLength)) throw new Error("not a safetensors file: its header is cut off");
  const header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of Object.entries(z.record(z.string(), z.unknown()).parse(header))) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets } = Entry.parse(value);
    const known = TYPES[dtype];
    if (known === undefined) continue;
    const [from, to] = data_offsets;
    const bytes = file.subarray(start + from, start + to);
    const length = shape.reduce((product, size) => product * size, known.size);
    if (bytes.byteLength !== length || to - from !== length)
      throw new Error(`not a safetensors file: ${name} has the wrong length`);
    tensors.set(name, { type: known.type, shape, bytes });
  }
  return tensors;
}
