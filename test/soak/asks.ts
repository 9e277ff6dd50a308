import type { Seeded } from "../seeded.ts";

/** One request of the soak's, and what its whole answer has to be like. */
export interface Asked {
  readonly kind: string;
  readonly path: "/v1/chat/completions" | "/v1/completions";
  readonly body: object;
}

const SUBJECTS = ["ships", "bread", "winter", "a river", "the moon", "an old clock"] as const;

const SCHEMA = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 8 },
    size: { type: "integer", minimum: 0, maximum: 99 },
  },
  required: ["name", "size"],
  additionalProperties: false,
};

/** Samplers that only our own chain has, each beside others. */
const OWN_SAMPLERS: readonly [object, ...object[]] = [
  { typical_p: 0.9, top_p: 0.95 },
  { mirostat_mode: 2, mirostat_tau: 4 },
  { dry_multiplier: 0.8, repetition_penalty: 1.1 },
  { xtc_probability: 0.5, xtc_threshold: 0.1, top_a: 0.1 },
  { smoothing_factor: 0.3, dynatemp_min: 0.5, dynatemp_max: 1.5 },
  { no_repeat_ngram_size: 3, tfs: 0.95 },
];

type Kind = (random: Seeded) => Omit<Asked, "kind">;

/** What people send to one model in a day. Answers are short: one thread writes 20 tokens a second. */
const KINDS: Readonly<Record<string, Kind>> = {
  chat: (random) => chat(random, {}),
  stream: (random) => chat(random, { stream: true }),
  seed: (random) => chat(random, { seed: random.below(1000), temperature: 1 }),
  logprobs: (random) => chat(random, { logprobs: true, top_logprobs: 3, stream: true }),
  samplers: (random) => chat(random, { stream: true, ...random.pick(OWN_SAMPLERS) }),
  stop: (random) => completion(random, { stop: [".", "\n", "the"] }),
  echo: (random) => completion(random, { echo: true, logprobs: 2 }),
  prompts: (random) => completion(random, { prompt: [story(random), story(random)], stream: true }),
  long: (random) => completion(random, { prompt: longText(random), stream: true }),
  again: (random) => completion(random, { prompt: `${SHARED} ${random.pick(SUBJECTS)}` }),
  json: (random) =>
    chat(random, {
      max_tokens: 32,
      stream: true,
      response_format: {
        type: "json_schema",
        json_schema: { name: "thing", schema: SCHEMA, strict: true },
      },
    }),
  regex: (random) => completion(random, { guided_regex: "[a-z]{3,9}(, [a-z]{3,9})*" }),
  choice: (random) => chat(random, { guided_choice: ["yes", "no", "perhaps"] }),
  tools: (random) =>
    chat(random, {
      max_tokens: 48,
      tools: [{ type: "function", function: { name: "store", parameters: SCHEMA } }],
      tool_choice: "required",
    }),
};

const NAMES = Object.keys(KINDS);

/** Every kind comes as often as the others, in an order by chance. */
export function nextAsk(random: Seeded): Asked {
  const kind = NAMES[random.below(NAMES.length)] ?? "chat";
  const ask = KINDS[kind] ?? ((own: Seeded) => chat(own, {}));
  return { kind, ...ask(random) };
}

function chat(random: Seeded, fields: object): Omit<Asked, "kind"> {
  const messages = [{ role: "user", content: `Tell me about ${random.pick(SUBJECTS)}.` }];
  const body = { messages, max_tokens: 1 + random.below(16), ...fields };
  return { path: "/v1/chat/completions", body };
}

function completion(random: Seeded, fields: object): Omit<Asked, "kind"> {
  const body = { prompt: story(random), max_tokens: 1 + random.below(16), ...fields };
  return { path: "/v1/completions", body };
}

function story(random: Seeded): string {
  return `${random.below(10_000)} stories about ${random.pick(SUBJECTS)}:`;
}

function longText(random: Seeded): string {
  return Array.from({ length: 20 + random.below(200) }, () => random.pick(SUBJECTS)).join(" ");
}

const SHARED = "A book of questions, and what the wise answered to each of them. ".repeat(6);
