import { crc32, deflateSync } from "node:zlib";

/** Images for tests, made without a library: so that they can be what no library would write. */

/** One chunk of a PNG. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

export interface PngOptions {
  /** Bits of a sample: 1 to 16. */
  readonly depth?: number;
  /** 0 grey, 2 RGB, 6 RGBA. */
  readonly colour?: 0 | 2 | 6;
  readonly interlaced?: boolean;
  /** Chunks between the header and the pixels. */
  readonly before?: readonly Buffer[];
  /** The compressed pixels; zeros where there are none. */
  readonly pixels?: Uint8Array;
}

const CHANNELS = { 0: 1, 2: 3, 6: 4 } as const;

/** A PNG of this size. Its pixels are zeros (black, or transparent), which take next to no bytes. */
export function pngOf(
  width: number,
  height: number,
  options: PngOptions = {},
): Buffer<ArrayBuffer> {
  const { depth = 8, colour = 2, interlaced = false, before = [] } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  const row = 1 + Math.ceil((width * CHANNELS[colour] * depth) / 8);
  const pixels =
    options.pixels ?? deflateSync(Buffer.alloc(row * height + (interlaced ? row * 8 : 0)));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    ...before,
    pngChunk("IDAT", pixels),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}
