import { afterAll, beforeAll, expect, test } from "bun:test";
import { startCovey, type TestCovey } from "../covey.ts";
import { readBack } from "./reading.ts";

/**
 * Print as Python programs draw it: the images in pillow/. Their letters stand on whole pixels, as FreeType hints them, and the network
 * reads them without most spaces. Made by Pillow 13.0.0, black on white, with
 * `ImageDraw.text((20, size // 2 + i * int(size * 1.5)), line, font)` for each line: DejaVu 2.37 by `ImageFont.truetype`
 * (the file's name tells which, and the size), and `ImageFont.load_default(24)`, whose 1 has wide gaps at its sides.
 */
const DRAWN: readonly (readonly [file: string, text: string])[] = [
  [
    "sans-bold-16",
    `The quick brown fox jumps
Pay 42.50 EUR to Anna Meyer
Meeting at 10:30 in room 4
Thank you for your order`,
  ],
  ["serif-20", "Tel. 0151 111 211"],
  ["sans-20", "Invoice 2026-118"],
  ["default-24", "Invoice 2026-118\nTel. 0151 111 211\nTotal: 1,118.10 EUR"],
];

const TIMEOUT = 60_000;
let covey: TestCovey;
beforeAll(async () => {
  covey = await startCovey();
}, TIMEOUT);
afterAll(() => covey.close());

test.each(DRAWN)(
  "of %s every space is read, and none within numbers",
  async (file, text) => {
    const image = await Bun.file(new URL(`pillow/${file}.png`, import.meta.url)).bytes();
    expect((await readBack(covey, [image])).text).toBe(text);
  },
  TIMEOUT,
);
