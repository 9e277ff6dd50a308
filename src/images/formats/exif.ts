import { type Orientation, viewOf } from "./format.ts";

const ORIENTATION = 0x0112;
const SHORT = 3;
const MAX_ENTRIES = 512;

/**
 * The orientation that an EXIF block (a TIFF file: EXIF 2.32, 4.6.4) tells in its first directory; 1
 * for one that tells none, or makes no sense.
 */
export function exifOrientation(tiff: Uint8Array): Orientation {
  const view = viewOf(tiff);
  try {
    const order = view.getUint16(0);
    if (order !== 0x4949 && order !== 0x4d4d) return 1;
    const little = order === 0x4949;
    if (view.getUint16(2, little) !== 42) return 1;
    const directory = view.getUint32(4, little);
    const entries = Math.min(view.getUint16(directory, little), MAX_ENTRIES);
    for (let entry = 0; entry < entries; entry++) {
      const at = directory + 2 + entry * 12;
      if (view.getUint16(at, little) !== ORIENTATION) continue;
      if (view.getUint16(at + 2, little) !== SHORT) return 1;
      return orientationOf(view.getUint16(at + 8, little));
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

/** An EXIF block that tells the orientation and nothing else. */
export function exifOf(orientation: Orientation): Uint8Array {
  const tiff = new Uint8Array(26);
  const view = viewOf(tiff);
  view.setUint32(0, 0x4d4d002a);
  view.setUint32(4, 8);
  view.setUint16(8, 1);
  view.setUint16(10, ORIENTATION);
  view.setUint16(12, SHORT);
  view.setUint32(14, 1);
  view.setUint16(18, orientation);
  return tiff;
}

function orientationOf(value: number): Orientation {
  switch (value) {
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
      return value;
    default:
      return 1;
  }
}
