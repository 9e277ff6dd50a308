import sharp from "sharp";

/** What happens to print on its way into a file. All take and give the bytes of an image. */
export type Damage = (png: Uint8Array) => Promise<Uint8Array>;

const WHITE = { r: 255, g: 255, b: 255 };

/** Turned clockwise by degrees; what comes into view is white. */
export const turned =
  (degrees: number): Damage =>
  (png) =>
    sharp(png).rotate(degrees, { background: WHITE }).png().toBuffer();

/** Grain of a camera or a scanner, the same at every run: `deviation` of 255 grey values. */
export const grainy =
  (deviation: number): Damage =>
  async (png) => {
    const { data, info } = await sharp(png)
      .flatten({ background: WHITE })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const random = seeded(7);
    for (let i = 0; i < data.length; i++) {
      // Twelve even ones add up to nearly a normal one of variance 1.
      let sum = -6;
      for (let n = 0; n < 12; n++) sum += random();
      data[i] = Math.max(0, Math.min(255, (data[i] ?? 0) + sum * deviation));
    }
    const { width, height, channels } = info;
    return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
  };

/** Out of focus: the blur's sigma in pixels. */
export const blurred =
  (sigma: number): Damage =>
  (png) =>
    sharp(png).flatten({ background: WHITE }).blur(sigma).png().toBuffer();

/** Saved by somebody in a hurry. */
export const squeezed =
  (quality: number): Damage =>
  (png) =>
    sharp(png).flatten({ background: WHITE }).jpeg({ quality }).toBuffer();

/** Grey print on grey paper. */
export const faint: Damage = (png) =>
  sharp(png).flatten({ background: WHITE }).linear(0.35, 130).png().toBuffer();

/** A page from a flatbed: a little askew, soft, grainy, grey, and a JPEG. */
export const scanned: Damage = async (png) => {
  const skewed = await sharp(png)
    .flatten({ background: WHITE })
    .rotate(1.6, { background: WHITE })
    .toBuffer();
  const grain = await grainy(9)(await blurred(0.6)(skewed));
  return sharp(grain).grayscale().jpeg({ quality: 70 }).toBuffer();
};

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
