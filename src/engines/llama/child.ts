import type { ChildEvent, FromChild, ToChild } from "../protocol.ts";
import { LlamaEngine } from "./engine.ts";
import { faultOf } from "./fault.ts";

/**
 * Entry of the process that holds one model. It talks to the gateway over Bun's IPC channel and
 * ends with it: there is nothing here to save, so it leaves at once and by the surest way.
 */
const send = (message: FromChild) => {
  process.send?.(message);
};
const emit = (events: readonly ChildEvent[]) => send({ type: "events", events });

const broken = (error: unknown) => {
  console.error(error);
  process.exit(1);
};

let engine: LlamaEngine | null = null;

// Ctrl-C at a terminal, and a service manager's stop, reach every process of the group. The gateway
// alone decides when this one ends: running answers are finished first.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

process.on("message", (message: ToChild) => {
  if (message.type === "ping") return send({ type: "pong" });
  handle(message).catch((error: unknown) => {
    if (message.type === "load") {
      console.error(error);
      send({ type: "failed", message: error instanceof Error ? error.message : String(error) });
      return;
    }
    emit([{ type: "error", id: message.id, ...faultOf(error) }]);
  });
});

async function handle(message: Exclude<ToChild, { type: "ping" }>): Promise<void> {
  if (message.type === "load") {
    const progress = () => send({ type: "progress" });
    engine = await LlamaEngine.load(message.options, { emit, broken, progress });
    send({ type: "ready", info: engine.info });
    return;
  }
  if (engine === null) throw new Error(`${message.type} before the model was loaded`);
  switch (message.type) {
    case "generate":
      return engine.generate(message.id, message.options);
    case "cancel":
      return engine.cancel(message.id);
    case "tokenize":
      return engine.tokenize(message.id, message.prompt);
    case "detokenize":
      return engine.detokenize(message.id, message.tokens);
  }
}
