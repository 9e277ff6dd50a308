import { bytesOf, type Format, MAX_BLOCKS, text, tooManyPieces, viewOf } from "./format.ts";

const [EXTENSION, FRAME, END] = [0x21, 0x2c, 0x3b];
const [GRAPHIC_CONTROL, APPLICATION] = [0xf9, 0xff];
/** What says how often an animation is repeated. */
const LOOPS = new Set(["NETSCAPE2.0", "ANIMEXTS1.0"]);

/** GIF89a: 18 for the screen, 20 for frames, 23 to 26 for extensions. */
export const gif: Format = {
  type: "image/gif",

  is: (bytes) => /^GIF8[79]a$/.test(text(bytes, 0, 6)),

  /** Of the size of the screen, or of the first frame where it is larger: decoders differ in which they go by. */
  facts(view) {
    let frames = 0;
    let [right, bottom] = [0, 0];
    for (const { kind, from } of blocks(bytesOf(view))) {
      if (kind !== FRAME) continue;
      frames += 1;
      if (frames === 1) {
        right = view.getUint16(from + 1, true) + view.getUint16(from + 5, true);
        bottom = view.getUint16(from + 3, true) + view.getUint16(from + 7, true);
      }
    }
    if (frames === 0) return null;
    const width = Math.max(view.getUint16(6, true), right);
    const height = Math.max(view.getUint16(8, true), bottom);
    return { type: "image/gif", width, height, frames, scans: 1, orientation: 1 };
  },

  stripped(bytes) {
    const kept: Uint8Array[] = [];
    let end = 0;
    for (const { kind, from, to } of blocks(bytes)) {
      if (end === 0) kept.push(bytes.subarray(0, from));
      end = to;
      if (kind === FRAME || kind === END || isNeeded(bytes, from))
        kept.push(bytes.subarray(from, to));
    }
    return end === 0 ? [bytes] : kept;
  },
};

function isNeeded(bytes: Uint8Array, from: number): boolean {
  const label = bytes[from + 1];
  return (
    label === GRAPHIC_CONTROL || (label === APPLICATION && LOOPS.has(text(bytes, from + 3, 11)))
  );
}

interface Block {
  readonly kind: number;
  readonly from: number;
  readonly to: number;
}

/** What follows the header: frames, extensions, the end. The last one may say more than there is. */
function* blocks(bytes: Uint8Array): Generator<Block> {
  const view = viewOf(bytes);
  const tableBytes = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  if (bytes.length < 13) return;
  let from = 13 + tableBytes(view.getUint8(10));
  let steps = 0;
  while (from < bytes.length) {
    const kind = view.getUint8(from);
    if (kind === END) {
      yield { kind, from, to: from + 1 };
      return;
    }
    if (kind !== EXTENSION && kind !== FRAME) return;
    if (kind === FRAME && from + 10 > bytes.length) return;
    let at = kind === EXTENSION ? from + 2 : from + 11 + tableBytes(view.getUint8(from + 9));
    // Blocks of up to 255 bytes, then an empty one.
    for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
      at += 1 + length;
      if (++steps > MAX_BLOCKS) throw tooManyPieces();
    }
    if (++steps > MAX_BLOCKS) throw tooManyPieces();
    yield { kind, from, to: Math.min(at + 1, bytes.length) };
    from = at + 1;
  }
}
