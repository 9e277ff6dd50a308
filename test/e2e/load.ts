import { chatBody, frames, post } from "./wire.ts";

/** What a client saw of one call that was admitted. */
export interface Seen {
  readonly id: string;
  readonly model: string;
  /** When each piece of text came, on the `performance.now()` clock. */
  readonly pieces: number[];
  /** Whether the client has the whole answer, its end included. */
  whole: boolean;
}

export interface Load {
  readonly seen: readonly Seen[];
  /** Resolves once every client has given up, which they do when the server is gone. */
  readonly over: Promise<void>;
}

/** Clients that ask without pause until the server is gone: long streams, short ones, whole answers, nonsense. */
export function load(url: string): Load {
  const seen: Seen[] = [];
  const clients = [
    ...Array.from({ length: 6 }, () => client(url, seen, "endless-20")),
    ...Array.from({ length: 2 }, () => client(url, seen, "gap-15")),
    ...Array.from({ length: 3 }, () => client(url, seen, "echo")),
    nonsense(url),
  ];
  return { seen, over: Promise.all(clients).then(() => undefined) };
}

/** Twenty words. */
export const TEXT = Array.from({ length: 20 }, (_, i) => `word${i}`).join(" ");

async function client(url: string, seen: Seen[], model: string): Promise<void> {
  const stream = model !== "echo";
  try {
    for (;;) {
      const answer = await post(`${url}/v1/chat/completions`, chatBody(model, TEXT, { stream }));
      const id = answer.headers.get("x-covey-call-id");
      if (answer.status !== 200 || id === null) throw new Error(`${answer.status} from ${model}`);
      const call: Seen = { id, model, pieces: [], whole: false };
      seen.push(call);
      if (stream) await readPieces(answer, call);
      else await answer.json();
      call.whole = true;
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

async function readPieces(answer: Response, call: Seen): Promise<void> {
  let done = false;
  for await (const frame of frames(answer)) {
    if (/"content":"[^"]/.test(frame)) call.pieces.push(performance.now());
    done = frame === "data: [DONE]";
  }
  if (!done) throw new Error("the stream ended without [DONE]");
}

async function nonsense(url: string): Promise<void> {
  try {
    for (;;) {
      const bad = await post(`${url}/v1/chat/completions`, chatBody("echo", "", { n: 2 }));
      const none = await fetch(`${url}/v1/nothing`);
      if (bad.status !== 400 || none.status !== 404) throw new Error("nonsense was not refused");
      await Bun.sleep(30);
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** The server's end, as the client's runtime tells it. */
function isGone(error: unknown): boolean {
  return (
    error instanceof Error && /socket|connect|ECONN|closed|without \[DONE\]/i.test(error.message)
  );
}
