/**
 * A process: node-llama-cpp alone, for the embedded engine to be held against. Arguments: weights,
 * threads, context size. Each line of its input, `<streams> <tokens> <prompt>`, makes it generate;
 * it answers with one line of JSON.
 */
import { getLlama, LlamaLogLevel, TokenBias } from "node-llama-cpp";
import { SAMPLING } from "./sampling.ts";

const [weights = "", threads = "1", contextSize = "2048"] = process.argv.slice(2);
const SEQUENCES = 4;

const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
  maxThreads: Number(threads),
});
const model = await llama.loadModel({ modelPath: weights });
const context = await model.createContext({
  contextSize: Number(contextSize),
  sequences: SEQUENCES,
  threads: Number(threads),
  batchSize: 128,
});
const sequences = Array.from({ length: SEQUENCES }, () => context.getSequence());
const neverEnds = new TokenBias(model.tokenizer);
if (model.tokens.eos !== null) neverEnds.set(model.tokens.eos, "never");

async function generate(stream: number, prompt: string, tokens: number): Promise<void> {
  const sequence = sequences[stream];
  if (sequence === undefined) throw new RangeError(`no sequence ${stream}`);
  await sequence.clearHistory();
  const text = model.tokenize(`${stream} ${prompt}`, true);
  const start = model.tokens.bos === null ? text : [model.tokens.bos, ...text];
  const answer = sequence.evaluate(start, {
    temperature: SAMPLING.temperature,
    topP: SAMPLING.top_p,
    topK: SAMPLING.top_k,
    minP: SAMPLING.min_p,
    tokenBias: neverEnds,
    yieldEogToken: true,
  });
  let left = tokens;
  for await (const token of answer) {
    model.detokenize([token]);
    left -= 1;
    if (left === 0) break;
  }
}

console.log("ready");
for await (const line of console) {
  const [, streams = "1", tokens = "1", prompt = ""] = /^(\d+) (\d+) (.*)$/.exec(line) ?? [];
  const began = performance.now();
  const all = Array.from({ length: Number(streams) }, (_, stream) =>
    generate(stream, prompt, Number(tokens)),
  );
  await Promise.all(all);
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ prompt, tokens: Number(streams) * Number(tokens), seconds }));
}
