import { expect } from "bun:test";
import type { CallRow } from "../../../src/store/index.ts";
import { startCovey, type TestCovey } from "../../covey.ts";
import type { Dialect } from "../../fake-styles.ts";
import { type FakeUpstream, fakeUpstream, storyFor } from "../../fake-upstream.ts";
import { callIdOf, chatBody, endedRow, post, readStream, type StreamRead, until } from "../wire.ts";

/**
 * A Covey between two upstreams. Each fault is a model three times over: `both/<fault>` is at the first
 * upstream, where it fails, and at the second, which tells the story; `alone/<fault>` is at the first
 * only; `twice/<fault>` fails at both.
 */
export interface Pair {
  readonly covey: TestCovey;
  readonly first: FakeUpstream;
  readonly second: FakeUpstream;
  ask(model: string, fields?: object, options?: AskOptions): Promise<Seen>;
  /** How many requests each of the two got for it. */
  attempts(seen: Seen): readonly [number, number];
  close(): Promise<void>;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** What the user says; something new without it. */
  readonly said?: string;
  /** A plain completion of this text, not a chat. */
  readonly prompt?: string;
}

/** What a caller saw of one call, and what was written down about it. */
export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly tookMs: number;
  /** What the user's message said: different for every call, so that attempts can be counted. */
  readonly said: string;
  /** Of a whole answer, or of an error. */
  readonly body: { readonly [key: string]: unknown } | null;
  readonly stream: StreamRead | null;
  readonly text: string;
  /** The error's code, from the body or from a stream's last event. */
  readonly error: string | null;
  readonly finish: readonly string[];
  readonly row: CallRow;
}

export interface PairOptions {
  /** Lines of the section [routing]. */
  readonly routing?: string;
  /** How long a failure can still have a status of its own. */
  readonly firstByteDelay?: string;
  /** Time limits of both providers. */
  readonly limits?: string;
  /** `FIRST_KEY` and `SECOND_KEY` are the providers' keys. */
  readonly env?: Record<string, string>;
  /** What both upstreams are; vLLM's if nothing is said. */
  readonly dialect?: Dialect;
  /** What the second upstream answers with, where the first one fails. */
  readonly second?: string;
  /** More of the config. */
  readonly more?: string;
  /** More models of the first upstream, as the config has them. */
  readonly models?: readonly string[];
}

/** What the second upstream is: the story that every answer must come to. */
export const STORY = "story-40";
export const storyOf = ({ said }: Pick<Seen, "said">): string => storyFor(said, 40);

const ROUTING = `attempts = 3
budget = "8s"
max_wait = "1500ms"
breaker_failures = 0`;
/** Short, and far enough apart that a slow machine does not confuse them. */
const LIMITS = `connect_timeout = "1s"
first_byte_timeout = "500ms"
first_token_timeout = "500ms"
gap_timeout = "500ms"
answer_timeout = "900ms"`;

export async function startPair(
  faults: readonly string[],
  options: PairOptions = {},
): Promise<Pair> {
  const { dialect = "vllm", env = {} } = options;
  const first = fakeUpstream({ dialect });
  const second = fakeUpstream({ dialect });
  const models = (...lists: (readonly [prefix: string, upstreamId: string | null])[]) =>
    lists
      .flatMap(([prefix, upstreamId]) =>
        faults.map(
          (fault) => `{ id = "${prefix}/${fault}", upstream_id = "${upstreamId ?? fault}" }`,
        ),
      )
      .join(",\n  ");
  const keyOf = (id: string) => {
    const name = `${id.toUpperCase()}_KEY`;
    return env[name] === undefined ? "" : `api_key_env = "${name}"`;
  };
  const healthy = `{ id = "healthy", upstream_id = "story-5" }`;
  const provider = (id: string, upstream: FakeUpstream, priority: number, list: string) => `
[providers.${id}]
type = "${dialect}"
base_url = "${upstream.url}"
priority = ${priority}
${options.limits ?? LIMITS}
${keyOf(id)}
models = [
  ${list}, ${healthy}
]`;
  const covey = await startCovey({
    toml: `
[engine]
preload = false
[limits.anonymous]
requests_per_minute = 0
concurrency = 0
[stream]
first_byte_delay = "${options.firstByteDelay ?? "10s"}"
[routing]
${options.routing ?? ROUTING}
${options.more ?? ""}
${provider("first", first, 0, [models(["both", null], ["alone", null], ["twice", null]), ...(options.models ?? [])].join(",\n  "))}
${provider("second", second, 1, models(["both", options.second ?? STORY], ["twice", null]))}
`,
    env,
  });
  let count = 0;
  return {
    covey,
    first,
    second,
    ask: async (model, fields = {}, { signal, prompt, said: text } = {}) => {
      const said = prompt ?? text ?? `${model} the ${++count}th time`;
      const began = performance.now();
      const answer = await post(
        `${covey.url}/v1/${prompt === undefined ? "chat/" : ""}completions`,
        prompt === undefined ? chatBody(model, said, fields) : { model, prompt, ...fields },
        signal === undefined ? {} : { signal },
      );
      const seen = await read(answer);
      const tookMs = performance.now() - began;
      return { ...seen, said, tookMs, row: await endedRow(covey, callIdOf(answer)) };
    },
    attempts: ({ said }) => [first.asked(said), second.asked(said)],
    close: async () => {
      await covey.close();
      await first.close();
      await second.close();
    },
  };
}

type Read = Omit<Seen, "said" | "tookMs" | "row">;

async function read(answer: Response): Promise<Read> {
  const { status, headers } = answer;
  if (headers.get("content-type")?.startsWith("text/event-stream") === true) {
    const stream = await readStream(answer);
    const { chunks, text } = stream;
    const finish = chunks.flatMap(({ choices = [] }) =>
      choices.map((choice) => choice.finish_reason),
    );
    const error = Object(chunks.at(-1)?.error).code ?? null;
    return {
      status,
      headers,
      body: null,
      stream,
      text,
      error,
      finish: finish.filter((reason) => reason !== null),
    };
  }
  const body: Record<string, unknown> = Object(await answer.json());
  const [choice] = Array.isArray(body.choices) ? body.choices : [];
  const finish: string[] = choice === undefined ? [] : [choice.finish_reason];
  const error = status === 200 ? null : (Object(body.error).code ?? Object(body.error).type);
  return {
    status,
    headers,
    body,
    stream: null,
    text: choice?.message?.content ?? choice?.text ?? "",
    error,
    finish,
  };
}

/** What a caller saw, without what would hide it in a test's output. */
export const briefly = ({ status, error, text, finish }: Seen) => ({ status, error, text, finish });

/** One whole answer and nothing else: as if there had been no fault. */
export function expectWhole(seen: Seen, text = storyOf(seen)): void {
  expect(briefly(seen)).toEqual({ status: 200, error: null, text, finish: ["stop"] });
  if (seen.stream !== null) {
    expect(seen.stream.done).toBe(true);
    const roles = seen.stream.chunks.flatMap(({ choices }) =>
      choices.map(({ delta }) => delta?.role),
    );
    const chat = seen.row.endpoint === "/v1/chat/completions";
    expect(roles.filter((role) => role !== undefined)).toEqual(chat ? ["assistant"] : []);
    expect(new Set(seen.stream.chunks.map((chunk) => Object(chunk).id)).size).toBe(1);
  }
  expect(seen.row).toMatchObject({ status: "completed", http_status: 200, error: null });
}

/** Ended, whatever had been sent, in a way that nobody takes for the end of an answer. */
export function expectBrokenOff(seen: Seen, code: string): void {
  expect(briefly(seen)).toEqual({ status: 200, error: code, text: seen.text, finish: [] });
  expect(seen.stream?.done).toBe(false);
  expect(storyOf(seen)).toStartWith(seen.text);
  expect(seen.row).toMatchObject({ status: "failed", error: code, finish_reason: null });
}

/** Refused before anything of an answer was sent. */
export function expectRefused(seen: Seen, status: number, code: string): void {
  expect(briefly(seen)).toEqual({ status, error: code, text: "", finish: [] });
  expect(seen.row).toMatchObject({ status: "failed", http_status: status, error: code });
}

/** Nothing runs on at the upstreams, and calls work. */
export async function expectAlive({ ask, first, second }: Pair): Promise<void> {
  await until(() => (first.open + second.open === 0 ? true : null), "the upstreams rest");
  const seen = await ask("healthy");
  expectWhole(seen, storyFor(seen.said, 5));
}

export const targetsOf = ({ row }: Seen): readonly string[] =>
  row.attempts.map(({ provider, how, error }) => `${provider} ${how} ${error ?? "answered"}`);

/** One of the calls that were begun together. */
export async function seenOf(
  calls: ReadonlyMap<string, Promise<Seen>>,
  name: string,
): Promise<Seen> {
  const seen = await calls.get(name);
  if (seen === undefined) throw new Error(`there is no call ${name}`);
  return seen;
}
