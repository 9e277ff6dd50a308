import { readFileSync } from "node:fs";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The environment as it is now: what the process was started with, and what its `.env` says today. Bun
 * reads that file once, at start, into the environment; what was there already wins, then and now.
 */
export class Environment {
  readonly #file: string;
  /** Without what came from the file. */
  readonly #own: Variables;

  /** @param env as it was at start, the file's values in it */
  constructor(file: string, env: Variables) {
    this.#file = file;
    const said = this.#read();
    this.#own = Object.fromEntries(
      Object.entries(env).filter(
        ([name, value]) => said[name] === undefined || said[name] !== value,
      ),
    );
  }

  read(): Variables {
    return { ...this.#read(), ...this.#own };
  }

  /** A file that isn't there says nothing. */
  #read(): Variables {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch {
      return {};
    }
    return parseEnvFile(text);
  }
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/;

/** `NAME=value`, a line each, `#` begins a comment; quotation marks keep what would end the value. */
export function parseEnvFile(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, rest = ""] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const quoted = /^(["'`])(.*?)\1\s*(?:#.*)?$/.exec(rest);
    variables[name] = quoted?.[2] ?? rest.replace(/\s+#.*$/, "").trim();
  }
  return variables;
}
