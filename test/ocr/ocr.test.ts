import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startCovey, type TestCovey } from "../covey.ts";
import { isHere } from "../needs.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { characterErrorRate } from "./character-errors.ts";
import { blurred, type Damage, faint, grainy, scanned, squeezed, turned } from "./damage.ts";
import { article, type Document, receipt, screenshot } from "./documents.ts";
import { FONTS, type Font, MIXED, PROSE, printed } from "./pages.ts";
import { readBack } from "./reading.ts";

/** What Chromium drew, read back by the model over HTTP. The engine runs on one thread, and the machine may be busy. */
describe.if(isHere("chromium"))("text in images", () => {
  const TIMEOUT = 60_000;
  let covey: TestCovey;
  let browser: Browser;

  beforeAll(async () => {
    [covey, browser] = await Promise.all([startCovey(), openBrowser()]);
  }, TIMEOUT);
  afterAll(async () => {
    await Promise.all([covey.close(), browser.close()]);
  });

  const drawn = async (font: Font, size: number, lines = PROSE) =>
    browser.shoot(await printed(lines, font, size), { width: size * 62 });

  const errors = async (image: Uint8Array, lines = PROSE) =>
    characterErrorRate((await readBack(covey, [image])).text, lines.join("\n"));

  test.each([
    ["clean print", PROSE, [12, 18, 36]],
    ["words beside numbers, of mail addresses and host names", MIXED, [18, 36, 48]],
  ])(
    "at most 2 %% of the characters of %s are wrong in any font and size, and 1 %% of all of them",
    async (_what, lines, sizes) => {
      const rates: { font: string; size: number; rate: number }[] = [];
      for (const font of FONTS)
        for (const size of sizes)
          rates.push({
            font: font.family,
            size,
            rate: await errors(await drawn(font, size, lines), lines),
          });
      expect(rates.filter(({ rate }) => rate > 0.02)).toEqual([]);
      const mean = rates.reduce((sum, { rate }) => sum + rate, 0) / rates.length;
      expect(mean).toBeLessThan(0.01);
    },
    4 * TIMEOUT,
  );

  const damages: readonly (readonly [what: string, damage: Damage, most: number])[] = [
    ["on its side", turned(90), 0.02],
    ["upside down", turned(180), 0.02],
    ["on its other side", turned(270), 0.02],
    ["a little askew", turned(-4), 0.02],
    ["aslant", turned(35), 0.02],
    ["with slight grain", grainy(8), 0.02],
    ["with heavy grain", grainy(32), 0.03],
    ["out of focus", blurred(1.5), 0.03],
    ["faint", faint, 0.02],
    ["as a poor JPEG", squeezed(40), 0.04],
  ];
  test.each(damages)(
    "print %s is read",
    async (_what, damage, most) => {
      const page = await drawn({ family: "Tinos", pack: "tinos" }, 22);
      expect(await errors(await damage(page))).toBeLessThanOrEqual(most);
    },
    TIMEOUT,
  );

  const asIs: Damage = async (png) => png;
  const documents: readonly (readonly [string, () => Promise<Document>, number, Damage])[] = [
    ["a receipt", receipt, 1, asIs],
    ["a scanned receipt", receipt, 2, scanned],
    ["a screenshot", screenshot, 1, asIs],
    ["a scanned page of two columns", article, 2, scanned],
  ];
  test.each(documents)(
    "%s is read back, line by line in the order of reading",
    async (_what, document, scale, damage) => {
      const { html, width, text } = await document();
      const image = await damage(await browser.shoot(html, { width, scale }));
      const read = await readBack(covey, [image]);
      expect(read.text.split("\n")).toHaveLength(text.split("\n").length);
      expect(characterErrorRate(read.text, text)).toBeLessThanOrEqual(0.02);
    },
    TIMEOUT,
  );
});
