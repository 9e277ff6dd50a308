import { Message } from "./protobuf.ts";

/** Writes ONNX files (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, IR 8, opset 17). */

export type ElementType = "float32" | "uint8" | "int64";

/** `null` is a size that is only known when the network runs. */
export type Shape = readonly (number | null)[];

export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

export type Attribute = number | readonly number[] | string | { readonly float: number };

const ELEMENT: Readonly<Record<ElementType, number>> = { float32: 1, uint8: 2, int64: 7 };
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 };

export class OnnxGraph {
  readonly #graph = new Message();
  #named = 0;

  /** Adds a step. Its output's name is what comes back. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = this.#fresh(operator),
  ): string {
    const node = new Message();
    for (const input of inputs) node.text(1, input);
    node.text(2, output).text(4, operator);
    for (const [name, value] of Object.entries(attributes))
      node.message(5, attributeMessage(name, value));
    this.#graph.message(1, node);
    return output;
  }

  /** A constant of 32-bit floats, or of whole numbers. */
  constant(values: Float32Array | readonly number[], shape: readonly number[]): string {
    const name = this.#fresh("constant");
    const isFloat = values instanceof Float32Array;
    const raw = isFloat ? bytesOf(values) : bytesOf(BigInt64Array.from(values.map(BigInt)));
    const tensor = new Message()
      .ints(1, shape)
      .int(2, ELEMENT[isFloat ? "float32" : "int64"])
      .text(8, name)
      .bytes(9, raw);
    this.#graph.message(5, tensor);
    return name;
  }

  /** The file's bytes. */
  encode(input: Port, outputs: readonly Port[]): Uint8Array<ArrayBuffer> {
    this.#graph.text(2, "network").message(11, portMessage(input));
    for (const output of outputs) this.#graph.message(12, portMessage(output));
    const opset = new Message().text(1, "").int(2, 17);
    return new Message().int(1, 8).message(7, this.#graph).message(8, opset).encode();
  }

  #fresh(what: string): string {
    this.#named += 1;
    return `${what}_${this.#named}`;
  }
}

export const TO_TYPE = ELEMENT;

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
  const tensor = new Message().int(1, ELEMENT[type]).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/** Little-endian, as every machine that runs this is. */
function bytesOf(values: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
