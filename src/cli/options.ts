import { parseArgs } from "node:util";
import { KEY_ENDPOINTS } from "../contract/admin-keys.ts";
import { nearest } from "../lib/nearest.ts";
import { UserError } from "../lib/user-error.ts";

/** The command line as data: what each command takes, and how what was typed is read. */

interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly text: string;
}

export interface Command {
  readonly summary: string;
  readonly usage: string;
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly (readonly [command: string, why: string])[];
  /** How many arguments without dashes it takes. */
  readonly positionals: readonly [least: number, most: number];
}

const HELP: Readonly<Record<string, Option>> = {
  help: { type: "boolean", short: "h", text: "Show this help" },
};

const PLACES: Readonly<Record<string, Option>> = {
  config: {
    type: "string",
    value: "FILE",
    text: "Config file (covey.toml in this folder, if there is one; COVEY_CONFIG)",
  },
  home: {
    type: "string",
    value: "DIR",
    text: "Folder for weights, journal and database (~/.covey; COVEY_HOME)",
  },
};

const ADDRESS: Readonly<Record<string, Option>> = {
  port: { type: "string", short: "p", value: "N", text: "Port to listen on (8080; COVEY_PORT)" },
  host: { type: "string", value: "H", text: "Address to listen on (127.0.0.1; COVEY_HOST)" },
};

export const COMMANDS = {
  serve: {
    summary: "Start the gateway",
    usage: "npx covey serve [options]",
    about:
      "Serves the OpenAI-compatible API for every model that is on this machine or configured.\n" +
      "Ctrl-C lets running answers finish, then ends.",
    options: { ...ADDRESS, ...PLACES, ...HELP },
    examples: [
      ["npx covey serve", "http://127.0.0.1:8080, the starter model ready in seconds"],
      ["npx covey serve --port 9000 --config team.toml", "another port, another config"],
      [
        "COVEY_ADMIN_KEY=… npx covey serve --host 0.0.0.0",
        "reachable from other machines, with a key",
      ],
    ],
    positionals: [0, 0],
  },
  pull: {
    summary: "Download a model's weights",
    usage: "npx covey pull <model> [options]",
    about:
      "Takes a model of the catalog by id or alias, or any GGUF file of the hub as\n" +
      "hf:<owner>/<name>[@<revision>]/<file>. Goes on where an interrupted download stopped,\n" +
      "checks the sha256 and locks it. HF_ENDPOINT names another hub, HF_TOKEN opens gated models.",
    options: {
      update: { type: "boolean", text: "Take the revision's newest file and lock that one" },
      ...PLACES,
      ...HELP,
    },
    examples: [
      ["npx covey pull qwen2.5-1.5b", "1.1 GB; a much better model than the starter"],
      ["npx covey pull hf:ggml-org/SmolLM3-3B-GGUF/SmolLM3-Q4_K_M.gguf", "any GGUF of the hub"],
    ],
    positionals: [1, 1],
  },
  models: {
    summary: "List the models, their state and whether they fit this machine",
    usage: "npx covey models [options]",
    about:
      "Shows what is ready to load, what has to be pulled first, and what is too big; then what each\n" +
      "provider of the config listed when a running server last asked it.",
    options: {
      all: {
        type: "boolean",
        text: "Every model that providers list, not only the first 20 of each",
      },
      json: { type: "boolean", text: "Print JSON for a program to read; it has them all" },
      ...PLACES,
      ...HELP,
    },
    examples: [
      ["npx covey models", "a table"],
      ["npx covey models --json", "the same as JSON"],
    ],
    positionals: [0, 0],
  },
  keys: {
    summary: "Make, list, change and revoke API keys",
    usage: "npx covey keys <create|list|show|update|rotate|disable|enable|revoke> [key] [options]",
    about:
      "Keys are made here and shown once; the database holds only what recognises them. A running\n" +
      "server on the same home folder or DATABASE_URL follows within half a second. A key is named by\n" +
      "its id, its prefix, or a name that no other key has.",
    options: {
      name: { type: "string", value: "NAME", text: "What people call it; needed to create one" },
      owner: { type: "string", value: "WHO", text: "Whose it is" },
      plan: {
        type: "string",
        value: "PLAN",
        text: "A plan of the config, or none for the default",
      },
      models: {
        type: "string",
        value: "LIST",
        text: "Models it may use, by id or alias, * for any text: qwen/*,tinyllama; or all",
      },
      endpoints: {
        type: "string",
        value: "LIST",
        text: `Endpoints it may use: ${KEY_ENDPOINTS.join(",")}; or all`,
      },
      budget: {
        type: "string",
        value: "USD",
        text: "What it may spend: 10/month, 2.50/day; or none for its plan's",
      },
      expires: { type: "string", value: "TIME", text: "30d from now, 2027-01-31, or never" },
      tags: { type: "string", value: "LIST", text: "Words to find it by" },
      payloads: {
        type: "string",
        value: "KEEP",
        text: "Whether its calls' texts are kept: off, sampled, on; or default",
      },
      admin: { type: "boolean", text: "It may do everything, the admin API included" },
      overlap: {
        type: "string",
        value: "TIME",
        text: "rotate: how long the old key still works (not at all)",
      },
      json: { type: "boolean", text: "Print JSON for a program to read" },
      ...PLACES,
      ...HELP,
    },
    examples: [
      ["npx covey keys create --name ci --models qwen/* --budget 10/month", "a key for one job"],
      ["npx covey keys rotate ci --overlap 24h", "a new one; the old one works a day more"],
      ["npx covey keys revoke ci", "ends it and its running calls, for good"],
    ],
    positionals: [1, 2],
  },
  check: {
    summary: "Check config, catalog, weights, folders, port and providers",
    usage: "npx covey check [options]",
    about:
      "One line for each thing that has to be right before serving; exits 1 if any is not.\n" +
      "Each provider of the config is asked for its models; DATABASE_URL and REDIS_URL are connected to.",
    options: { ...ADDRESS, ...PLACES, ...HELP },
    examples: [
      ["npx covey check", "with covey.toml of this folder"],
      ["npx covey check --config team.toml --port 9000", "before a deployment"],
    ],
    positionals: [0, 0],
  },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;

export interface CommandLine {
  readonly command: CommandName;
  readonly help: boolean;
  readonly positionals: readonly string[];
  readonly text: Readonly<Record<string, string | undefined>>;
  readonly flags: ReadonlySet<string>;
}

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

function unusable(message: string, see: string): UserError {
  return new UserError(`${message}; see ${see}`, { exitCode: 2 });
}

function unknownOption(command: CommandName, given: string): UserError {
  const guess = nearest(given.replace(/^-+/, ""), Object.keys(COMMANDS[command].options));
  const hint = guess === undefined ? "" : `, did you mean --${guess}?`;
  return unusable(`covey ${command} has no option ${given}${hint}`, `npx covey ${command} --help`);
}

/** A value that looks like an option, told with what is allowed. */
function negative(value: string | undefined, { text }: Option): string {
  return value !== undefined && /^-[\d.]/.test(value) ? ` (${text}); got "${value}"` : "";
}

/** Reads the arguments after `covey`. Throws `UserError` with exit code 2 for what it doesn't know. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const [name = "", ...rest] = args;
  if (!isCommand(name)) {
    const guess = nearest(name, Object.keys(COMMANDS));
    const hint = guess === undefined ? "" : `, did you mean npx covey ${guess}?`;
    throw unusable(`there is no command "${name}"${hint}`, "npx covey --help");
  }
  const command: Command = COMMANDS[name];
  const options = Object.fromEntries(
    Object.entries(command.options).map(([option, { type, short }]) => [
      option,
      short === undefined ? { type } : { type, short },
    ]),
  );
  const { tokens } = parseArgs({
    args: rest,
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const positionals: string[] = [];
  const text: Record<string, string> = {};
  const flags = new Set<string>();
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(command.options, token.name)
      ? command.options[token.name]
      : undefined;
    if (option === undefined) throw unknownOption(name, token.rawName);
    if (option.type === "boolean") {
      if (token.value !== undefined)
        throw unusable(`${token.rawName} takes no value`, `npx covey ${name} --help`);
      flags.add(token.name);
      continue;
    }
    if (
      token.value === undefined ||
      token.value === "" ||
      (!token.inlineValue && token.value.startsWith("-"))
    )
      throw unusable(
        `${token.rawName} needs a value: ${token.rawName} ${option.value ?? "VALUE"}${negative(token.value, option)}`,
        `npx covey ${name} --help`,
      );
    text[token.name] = token.value;
  }
  const help = flags.has("help");
  const [least, most] = command.positionals;
  if (!help && positionals.length < least)
    throw unusable(
      `covey ${name} needs ${name === "keys" ? "something to do" : "a model"}: ${command.usage}`,
      name === "keys" ? "npx covey keys --help" : "npx covey models for those there are",
    );
  if (!help && positionals.length > most)
    throw unusable(
      `covey ${name} does not take "${positionals[most]}"`,
      `npx covey ${name} --help`,
    );
  return { command: name, help, positionals, text, flags };
}
