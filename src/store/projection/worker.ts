import { Projector } from "./projector.ts";
import { type FromWorker, ToWorker } from "./protocol.ts";

/** The thread the database lives on. SQLite under Bun is synchronous: here it blocks nobody. */
declare const self: Worker;

let projector: Projector | null = null;
const tell = (message: FromWorker) => self.postMessage(message);

self.onmessage = async (event: MessageEvent<unknown>) => {
  const message = ToWorker.parse(event.data);
  switch (message.kind) {
    case "open":
      projector = new Projector(message.journal, message.place, tell, message.keep);
      break;
    case "readable":
      projector?.readable(message.end);
      break;
    case "query":
      await projector?.answer(message.seq, message.query);
      break;
    case "write":
      await projector?.write(message.seq, message.query);
      break;
    case "close":
      await projector?.close();
      tell({ kind: "closed" });
      break;
  }
};
