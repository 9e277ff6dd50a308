import { withoutKeys } from "./redact.ts";

export type LogFields = { readonly [name: string]: string | number | boolean | null | undefined };

export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Whether lines of this level are written: what costs something to say is then worth saying. */
  writes(level: Level): boolean;
}

export interface LogSettings {
  /** Words for a person at a terminal, or one JSON object a line. */
  readonly format: "text" | "json";
  /** The lowest that is written. */
  readonly level: Level;
  /** Texts that no line may hold. */
  readonly secrets: readonly string[];
}

/** A log whose settings can be changed while it is in use. */
export interface SettableLog extends Log {
  use(settings: LogSettings): void;
}

/**
 * One line an event: words for a person at a terminal, JSON otherwise. Callers pass ids and counts,
 * never payloads, keys or header values; should one slip through, what is a secret or looks like a key is
 * taken out. No value can end its line or pass for another field.
 */
export function createLog(write: (line: string) => void, pretty: boolean): SettableLog {
  let settings: LogSettings = { format: pretty ? "text" : "json", level: "info", secrets: [] };
  let least = LEVELS.indexOf(settings.level);
  const writes = (level: Level): boolean => LEVELS.indexOf(level) >= least;
  const line = (level: Level, message: string, fields: LogFields): void => {
    if (!writes(level)) return;
    const text = settings.format === "text" ? inWords : asJson;
    write(`${withoutKeys(text(level, message, fields), settings.secrets)}\n`);
  };
  return {
    debug: (message, fields = {}) => line("debug", message, fields),
    info: (message, fields = {}) => line("info", message, fields),
    warn: (message, fields = {}) => line("warn", message, fields),
    error: (message, fields = {}) => line("error", message, fields),
    writes,
    use: (next) => {
      settings = { ...next, secrets: [...new Set(next.secrets.flatMap(asWritten))] };
      least = LEVELS.indexOf(next.level);
    },
  };
}

/** A secret, and how it looks in a JSON text. */
function asWritten(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1)];
}

function asJson(level: Level, message: string, fields: LogFields): string {
  const text = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
  // JSON allows them; whoever cuts a file into lines may not.
  return text.replace(
    LINE_ENDS,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** What JSON leaves as it is and some take for the end of a line. */
const LINE_ENDS = /[\u0080-\u009f\u2028\u2029]/g;

function inWords(level: Level, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => ` ${name}=${shown(value)}`)
    .join("");
  return `${level === "info" ? "" : `${level}: `}${oneLine(message)}${pairs}`;
}

/** A text with a space or a quotation mark in it is put in quotation marks. */
function shown(value: LogFields[string]): string {
  const text = String(value);
  return typeof value === "string" && /[\s"=]|\p{Cc}/u.test(text)
    ? oneLine(JSON.stringify(text))
    : oneLine(text);
}

/** Line ends and other control characters, which move a terminal's cursor too, as spaces; stacks keep theirs as ` | `. */
function oneLine(text: string): string {
  return text.replace(/\s*\r?\n\s*/g, " | ").replace(/[\p{Cc}\u2028\u2029]/gu, " ");
}
