import { type Asked, DEFAULT_WORDS, readAsked } from "./fake-asked.ts";
import { type Change, CUT_WHOLES, changed, changedWhole, type Piece } from "./fake-faults.ts";
import { ollamaVoice } from "./fake-ollama.ts";
import { namedRefusal, prefillRefusal, type Refusal, refusalIn } from "./fake-refusals.ts";
import { type Saying, sayingsOf } from "./fake-said.ts";
import { type Dialect, STYLES } from "./fake-styles.ts";
import { openAiVoice, type Voice } from "./fake-voice.ts";

/** What goes back on the socket. `length` is what is announced, where that is more than comes. */
export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly length?: number;
  readonly body: string | AsyncIterable<Piece>;
}

/** `reset`: the socket is closed before any header; `silence`: nothing is ever said. */
export type Outcome = FakeAnswer | "reset" | "silence";

export interface Received {
  readonly dialect: Dialect;
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly rule: "flag" | "always";
  /** The how many-th request this is of this model, and of this model with this text; from 1. */
  readonly nth: number;
  readonly nthOfText: number;
}

const BASES = ["story", "random", "toolstory", "tools", "reasoning", "hugechunk"];
const NUMBERED =
  "dies stalls stallscomments ends inband inbandchunk halfevent malformed once cold flapping slowtoken paced".split(
    " ",
  );
const PLAIN =
  "nodone nofinish nousage wrongtype wrongmodel zerousage negativeusage trims shortjson truncatedjson prefillrefused".split(
    " ",
  );

interface Behaviour {
  readonly base: string;
  readonly words: number;
  readonly changes: readonly Change[];
}

/** Reads a model's name from the left: changes, then what they are done to. Null for one of another kind. */
function readName(model: string): Behaviour | null {
  const [head = ""] = model.split("-");
  if (![...BASES, ...NUMBERED, ...PLAIN, "toolcut"].includes(head) || model === "tools")
    return null;
  const changes: Change[] = [];
  const words = model.split("-");
  let base = "story";
  let count = DEFAULT_WORDS;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "toolcut") {
      changes.push({ name: "dies", n: Number(words.shift()) });
      base = "toolstory";
    } else if (NUMBERED.includes(word)) changes.push({ name: word, n: Number(words.shift()) });
    else if (PLAIN.includes(word)) changes.push({ name: word, n: 0 });
    else {
      base = word === "tools" ? "toolstory" : word;
      count = Number(words.shift() ?? DEFAULT_WORDS);
    }
  }
  return { base, words: count, changes };
}

/** What the model's name asks for; null where it names none of the behaviours here. */
export function behave(received: Received): Outcome | null {
  const { dialect, path, body } = received;
  const model = String(body.model);
  const [head = "", argument = ""] = model.split("-");
  if (head === "reset" || head === "silence") return head;
  const refused = namedRefusal(head, argument, dialect);
  if (refused !== null) return refusing(refused);
  const behaviour = readName(model);
  return behaviour === null
    ? null
    : answer(received, behaviour, readAsked(body, path, received.rule));
}

/** What a model answers that is named for nothing: a story. */
export function plainAnswer(received: Received): Outcome {
  const behaviour = { base: "story", words: DEFAULT_WORDS, changes: [] };
  return answer(received, behaviour, readAsked(received.body, received.path, received.rule));
}

function answer(received: Received, { base, words, changes }: Behaviour, given: Asked): Outcome {
  const { dialect, path, body, nth, nthOfText } = received;
  const has = (name: string) => changes.some((change) => change.name === name);
  const asked =
    has("trims") && given.prefill !== null ? { ...given, prefill: given.prefill.trimEnd() } : given;
  for (const { name, n } of changes) {
    if ((name === "once" || name === "cold") && nthOfText === 1) {
      const message =
        name === "cold"
          ? "The model is cold and is being loaded. Try again soon."
          : `upstream says ${n}`;
      return refusing(refusalIn(dialect, n, message));
    }
    if (name === "flapping" && nth % n !== 0) return refusing(refusalIn(dialect, 500, "flapping"));
  }
  const refused = has("prefillrefused") ? prefillRefusal(asked, dialect) : null;
  if (refused !== null) return refusing(refused);
  const model = has("wrongmodel") ? "somebody/else-7b" : String(body.model);
  const voice = path.startsWith("/api/")
    ? ollamaVoice(asked, model)
    : openAiVoice(STYLES[dialect], asked, model);
  const sayings = edited(sayingsOf(base, words, asked), has);
  const type = has("wrongtype") ? "text/html" : null;
  if (!asked.streams) {
    const whole = voice.whole(
      has("ends") ? sayings.filter(({ kind }) => kind !== "finish") : sayings,
    );
    const cut = changes.some(({ name }) => CUT_WHOLES.includes(name));
    return {
      status: 200,
      headers: { "content-type": type ?? "application/json" },
      ...(cut ? { length: Buffer.byteLength(JSON.stringify(whole)) } : {}),
      body: has("wrongtype") ? "<html>fine</html>" : changedWhole(whole, changes),
    };
  }
  return {
    status: 200,
    headers: { "content-type": type ?? voice.contentType },
    body: has("wrongtype")
      ? "<html>fine</html>"
      : changed(eventsOf(sayings, voice), changes, voice),
  };
}

function edited(sayings: readonly Saying[], has: (name: string) => boolean): readonly Saying[] {
  return sayings
    .filter(
      ({ kind }) =>
        !(kind === "finish" && has("nofinish")) && !(kind === "usage" && has("nousage")),
    )
    .map((saying) => {
      if (saying.kind !== "usage") return saying;
      if (has("zerousage")) return { ...saying, prompt: 0, completion: 0 };
      return has("negativeusage") ? { ...saying, prompt: -5, completion: -3 } : saying;
    });
}

async function* eventsOf(sayings: readonly Saying[], voice: Voice): AsyncGenerator<string> {
  if (voice.comment !== null) yield voice.comment;
  for (const saying of sayings) {
    const event = voice.event(saying);
    if (event !== null) yield event;
  }
  if (voice.done !== null) yield voice.done;
}

export function refusing({ status, body, headers }: Refusal): FakeAnswer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}
