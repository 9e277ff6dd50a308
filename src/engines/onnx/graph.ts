import { Message } from "./protobuf.ts";

/**
 * Writes ONNX files (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR 8, opset 17), with
 * onnxruntime's own operators where a name says so
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).
 */

export type ElementType = "float32" | "uint8" | "int32" | "int64" | "float16";

/** `null` is a size that is only known when the network runs. */
export type Shape = readonly (number | null)[];

export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

export type Attribute = number | readonly number[] | string | { readonly float: number };

/** `TensorProto.DataType`. */
export const TO_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  float16: 10,
};
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 };
const CONTRIB = "com.microsoft";

export class OnnxGraph {
  readonly #graph = new Message();
  #named = 0;

  /**
   * Adds a step. Its output's name is what comes back. `com.microsoft.X` is onnxruntime's own X; an
   * input that is left out is "".
   */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = this.#fresh(operator),
  ): string {
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    const isContrib = operator.startsWith(`${CONTRIB}.`);
    node.text(2, output).text(4, isContrib ? operator.slice(CONTRIB.length + 1) : operator);
    for (const [name, value] of Object.entries(attributes))
      node.message(5, attributeMessage(name, value));
    if (isContrib) node.text(7, CONTRIB);
    this.#graph.message(1, node);
    return output;
  }

  /** A constant of 32-bit floats, or of whole numbers. */
  constant(values: Float32Array | readonly number[], shape: readonly number[]): string {
    return values instanceof Float32Array
      ? this.raw("float32", bytesOf(values), shape)
      : this.raw("int64", bytesOf(BigInt64Array.from(values.map(BigInt))), shape);
  }

  /** A constant of which the bytes are known, little-endian. */
  raw(type: ElementType, bytes: Uint8Array, shape: readonly number[]): string {
    const name = this.#fresh("constant");
    const tensor = new Message().ints(1, shape).int(2, TO_TYPE[type]).text(8, name).bytes(9, bytes);
    this.#graph.message(5, tensor);
    return name;
  }

  /** The file's bytes. */
  encode(inputs: readonly Port[], outputs: readonly Port[]): Uint8Array<ArrayBuffer> {
    this.#graph.text(2, "network");
    for (const input of inputs) this.#graph.message(11, portMessage(input));
    for (const output of outputs) this.#graph.message(12, portMessage(output));
    return new Message()
      .int(1, 8)
      .message(7, this.#graph)
      .message(8, new Message().text(1, "").int(2, 17))
      .message(8, new Message().text(1, CONTRIB).int(2, 1))
      .encode();
  }

  #fresh(what: string): string {
    this.#named += 1;
    return `${what}_${this.#named}`;
  }
}

function attributeMessage(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, ATTRIBUTE.int);
  if (typeof value === "string")
    return message.bytes(4, new TextEncoder().encode(value)).int(20, ATTRIBUTE.string);
  if ("float" in value) return message.float(2, value.float).int(20, ATTRIBUTE.float);
  return message.ints(8, value).int(20, ATTRIBUTE.ints);
}

function portMessage({ name, type, shape }: Port): Message {
  const dimensions = new Message();
  for (const [index, size] of shape.entries()) {
    const dimension = new Message();
    if (size === null) dimension.text(2, `${name}_${index}`);
    else dimension.int(1, size);
    dimensions.message(1, dimension);
  }
  const tensor = new Message().int(1, TO_TYPE[type]).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/** Little-endian, as every machine that runs this is. */
function bytesOf(values: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
