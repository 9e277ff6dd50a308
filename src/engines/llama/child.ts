import { openChannel } from "../child-frame.ts";
import type { LlamaAsk, LlamaSpeech } from "../protocol.ts";
import { LlamaEngine } from "./engine.ts";
import { faultOf } from "./fault.ts";

/** Entry of the process that holds one text model. */

const broken = (error: unknown) => {
  console.error(error);
  process.exit(1);
};

let engine: LlamaEngine | null = null;

openChannel<LlamaSpeech>(
  ({ emit, progress }) => ({
    load: async (options) => {
      engine = await LlamaEngine.load(options, { emit, broken, progress });
      return engine.info;
    },
    ask,
    // Told at once: it ends at the next step, and the next answer waits here for its sequence.
    cancel: (id) => engine?.cancel(id),
  }),
  faultOf,
);

async function ask(id: number, ask: LlamaAsk): Promise<void> {
  if (engine === null) throw new Error(`${ask.type} before the model was loaded`);
  switch (ask.type) {
    case "generate":
      return engine.generate(id, ask.options, ask.owner);
    case "tokenize":
      return engine.tokenize(id, ask.prompt);
    case "detokenize":
      return engine.detokenize(id, ask.tokens);
  }
}
