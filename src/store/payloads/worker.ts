import { Keeper } from "./keeper.ts";
import { type FromPayloads, ToPayloads } from "./protocol.ts";

/** The thread payloads are redacted and written on: neither must cost the gateway's time. */
declare const self: Worker;

let keeper: Keeper | null = null;
const tell = (message: FromPayloads) => self.postMessage(message);

self.onmessage = (event: MessageEvent<unknown>) => {
  const message = ToPayloads.parse(event.data);
  switch (message.kind) {
    case "open":
      if (keeper === null) keeper = new Keeper(message.folder, message.rules, tell);
      else keeper.rule(message.rules);
      break;
    case "keep":
      keeper?.keep(message.seq, message.text);
      break;
    case "read":
      keeper?.read(message.seq, message.id);
      break;
    case "image":
      keeper?.image(message.seq, message.hash);
      break;
    case "close":
      keeper?.close();
      keeper = null;
      tell({ kind: "closed" });
      break;
  }
};
