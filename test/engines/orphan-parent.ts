import { backendWith } from "./local-backend.ts";

/** A parent to be killed: loads the model, tells its child's process id, and goes on for ever. */
const backend = backendWith();
await backend.preload("tinyllama");
console.log(backend.snapshot()[0]?.pid);
setInterval(() => undefined, 1_000);
