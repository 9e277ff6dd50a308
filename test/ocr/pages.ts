/** Pages of known text, as HTML for Chromium. */

export interface Font {
  readonly family: string;
  /** `@fontsource`'s name of it. */
  readonly pack: string;
  readonly weight?: number;
}

/** What most print looks like: metric twins of Arial, Times and Courier, and a serif of books. */
export const FONTS: readonly Font[] = [
  { family: "Arimo", pack: "arimo" },
  { family: "Tinos", pack: "tinos" },
  { family: "Cousine", pack: "cousine" },
  { family: "PT Serif", pack: "pt-serif" },
];

export const PROSE = [
  "Bread is one of the oldest prepared foods. Evidence from 30,000 years ago in Europe revealed",
  "starch residue on rocks used for pounding plants. During this time, starch extract from the",
  "roots of plants, such as cattails and ferns, was spread on a flat rock, placed over a fire and",
  "cooked into a primitive form of flatbread. Around 10,000 BC, with the dawn of the Neolithic age,",
  "grains became the mainstay of making bread. Yeast spores are found everywhere, so any dough left",
  "to rest leavens naturally (see page 42; it costs $3.50, or 1.25 EUR in 1987).",
  '"Why does it rise?" asked Zoe. Quick: vex a judge, fix 6 boxes, pay 75% & leave by 18:30!',
];

/** Words beside numbers, which pull the network to digits. */
export const MIXED = [
  "Contact: billing@example.com or +49 30 1234567",
  "www.foo.com or 030 555 1234 or 7 Old Road",
  "Contact: billing@example.com or by letter, e.g. https://shop.foo.io/help",
  "Mail 3 or 4 people at info@foo.com",
  "Order 66 to Dr. Bob or Old Tom, 12 Oil Street, Oslo 0150",
];

/** Lines of text in one font, `size` pixels high. */
export async function printed(lines: readonly string[], font: Font, size: number): Promise<string> {
  const text = lines.map((line) => `<p>${escaped(line)}</p>`).join("");
  return `<style>${await fontFace(font)}
    body { margin: ${size * 2}px; background: white; color: black; }
    p { margin: 0; font: ${font.weight ?? 400} ${size}px/1.5 "${font.family}"; white-space: nowrap; }
  </style>${text}`;
}

/** The font itself within the page: nothing depends on what the machine has. */
export async function fontFace({ family, pack, weight = 400 }: Font): Promise<string> {
  const name = `@fontsource/${pack}/files/${pack}-latin-${weight}-normal.woff2`;
  const bytes = await Bun.file(Bun.resolveSync(name, import.meta.dir)).bytes();
  return `@font-face { font-family: "${family}"; font-weight: ${weight};
    src: url(data:font/woff2;base64,${bytes.toBase64()}); }`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
