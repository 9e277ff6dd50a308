/**
 * A process: onnxruntime alone with the embedding model's network, for the engine to be held against.
 * Arguments: the folder of the weights, threads. Each line of its input, `<texts> <tokens> <runs>`,
 * makes it run a batch of so many texts of so many tokens so often; it answers with one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { BertConfig, bertNetwork } from "../src/engines/embeddings/bert.ts";
import { poolingWeights } from "../src/engines/embeddings/pooling.ts";
import { readSafetensors } from "../src/engines/embeddings/safetensors.ts";

const [folder = "", threads = "1"] = process.argv.slice(2);
const config = BertConfig.parse(JSON.parse(await readFile(join(folder, "config.json"), "utf8")));
const tensors = readSafetensors(await readFile(join(folder, "model.fp16.safetensors")));
const session = await InferenceSession.create(bertNetwork(config, tensors), {
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
});

console.log("ready");
for await (const line of console) {
  const [texts = 1, tokens = 1, runs = 1] = line.split(" ").map(Number);
  const ids = Int32Array.from({ length: texts * tokens }, (_, at) => 2_000 + ((at * 37) % 20_000));
  const weights = new Float32Array(texts * tokens);
  for (let at = 0; at < texts; at++) weights.set(poolingWeights("mean", tokens), at * tokens);
  const began = performance.now();
  for (let run = 0; run < runs; run++)
    await session.run({
      ids: new Tensor("int32", ids, [texts, tokens]),
      lengths: new Tensor("int32", new Int32Array(texts).fill(tokens), [texts]),
      pooling: new Tensor("float32", weights, [texts, 1, tokens]),
    });
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ embeddings: texts * runs, seconds }));
}
