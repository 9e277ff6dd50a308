/**
 * Protocol Buffers' wire format, the writing half, as far as an ONNX file needs it: varints and
 * length-delimited fields (https://protobuf.dev/programming-guides/encoding/). A message is its
 * pieces in order, so that a tensor's megabytes are copied once, at the end.
 */
export class Message {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  /** An integer of 0 or more, or an enum's value. */
  int(field: number, value: number): this {
    return this.#add(varint(field << 3)).#add(varint(value));
  }

  ints(field: number, values: readonly number[]): this {
    for (const value of values) this.int(field, value);
    return this;
  }

  /** A 32-bit float. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#add(varint((field << 3) | 5)).#add(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#add(varint((field << 3) | 2))
      .#add(varint(value.length))
      .#add(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    this.#add(varint((field << 3) | 2)).#add(varint(value.#length));
    for (const piece of value.#pieces) this.#add(piece);
    return this;
  }

  encode(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  #add(piece: Uint8Array): this {
    this.#pieces.push(piece);
    this.#length += piece.length;
    return this;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
