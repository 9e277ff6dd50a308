/**
 * A process: decoding, networks and everything between them alone, for `covey/ocr` to be held against.
 * Arguments: the folder of the weights, threads. Each line of its input, `<path> <times>`, makes it read
 * that image so often; it answers with one line of JSON.
 */
import { join } from "node:path";
import { loadNetworks } from "../src/engines/ocr/networks.ts";
import { onPaper } from "../src/engines/ocr/pixels.ts";
import { readPage } from "../src/engines/ocr/read-page.ts";
import { decode } from "../src/images/decode.ts";

const [folder = "", threads = "1"] = process.argv.slice(2);
const files = {
  detection: join(folder, "ch_PP-OCRv4_det_infer.onnx"),
  recognition: join(folder, "ch_PP-OCRv4_rec_infer.onnx"),
  dictionary: join(folder, "ppocr_keys_v1.txt"),
};
const networks = await loadNetworks(files, Number(threads));
const { signal } = new AbortController();

console.log("ready");
for await (const line of console) {
  const [path = "", times = "1"] = line.split(" ");
  const bytes = await Bun.file(path).bytes();
  const began = performance.now();
  let lines = 0;
  for (let time = 0; time < Number(times); time++) {
    const page = onPaper(await decode(bytes));
    for await (const _line of readPage(page, networks, signal)) lines++;
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ lines, seconds, peak: process.resourceUsage().maxRSS }));
}
