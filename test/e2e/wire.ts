import type { CallRow } from "../../src/store/index.ts";
import type { TestCovey } from "../covey.ts";
import type { FakeUpstream } from "../fake-upstream.ts";

/** The wire as a client sees it: requests, frames of a stream, and the row that a call became. */

/** A config whose provider `fake` has these models, all named for what the fake upstream does. */
export function fakeConfig(upstream: FakeUpstream, models: readonly string[], more = ""): string {
  const list = models.map((id) => `{ id = "${id}" }`).join(", ");
  return `${more}
[engine]
preload = false
[providers.fake]
base_url = "${upstream.url}"
api_key_env = "FAKE_KEY"
models = [${list}]
`;
}

/** The key that the gateway sends to the fake upstream. */
export const FAKE_KEY = "sk-fake-0123456789abcdef0123456789";

export interface Post {
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** Posts JSON, or a body as it is when it is text. */
export function post(url: string, body: unknown, options: Post = {}): Promise<Response> {
  const { signal } = options;
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...options.headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** A chat with one user message. */
export function chatBody(model: string, content: string, fields: object = {}): object {
  return { model, messages: [{ role: "user", content }], ...fields };
}

export interface Chunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta?: { readonly role?: string; readonly content?: string | null };
    readonly text?: string;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly error?: unknown;
}

/** The frames of an event stream as they arrive: what stands between two blank lines. */
export async function* frames(response: Response): AsyncGenerator<string> {
  if (response.body === null) throw new Error("the answer has no body");
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    yield* parts;
  }
  if (text !== "") throw new Error(`the stream ended inside a frame: ${text}`);
}

export interface StreamRead {
  /** Every event but `[DONE]`, in order. */
  readonly chunks: readonly Chunk[];
  /** How many comments came. */
  readonly comments: number;
  /** Whether `[DONE]` was the last frame. */
  readonly done: boolean;
  /** The text of choice 0. */
  readonly text: string;
}

/** Reads a stream to its end. */
export async function readStream(response: Response): Promise<StreamRead> {
  const chunks: Chunk[] = [];
  let comments = 0;
  let done = false;
  for await (const frame of frames(response)) {
    if (done) throw new Error(`a frame after [DONE]: ${frame}`);
    if (frame.startsWith(":")) comments += 1;
    else if (frame === "data: [DONE]") done = true;
    else if (frame.startsWith("data: {")) chunks.push(JSON.parse(frame.slice("data: ".length)));
    else throw new Error(`not a frame of ours: ${frame}`);
  }
  return { chunks, comments, done, text: textOf(chunks) };
}

export function textOf(chunks: readonly Chunk[], index = 0): string {
  return chunks
    .flatMap(({ choices = [] }) => choices.filter((choice) => choice.index === index))
    .map((choice) => choice.delta?.content ?? choice.text ?? "")
    .join("");
}

/** The id under which the call is in the log. */
export function callIdOf(response: Response): string {
  const id = response.headers.get("x-covey-call-id");
  if (id === null) throw new Error("the answer names no call");
  return id;
}

/** The row of a call that has ended. Waits for it, since a call ends when its last byte is written. */
export async function endedRow(covey: TestCovey, id: string): Promise<CallRow> {
  return await until(async () => {
    await covey.app.store.caughtUp();
    const row = await covey.app.store.calls.getCall(id);
    return row === null || row.status === "running" ? null : row;
  }, `call ${id} has ended`);
}

/** Asks until there is an answer other than null; fails after `patienceMs`. */
export async function until<T>(
  ask: () => T | null | Promise<T | null>,
  what: string,
  patienceMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await ask();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await Bun.sleep(10);
  }
}
