export type LogFields = { readonly [name: string]: string | number | boolean | null | undefined };

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/**
 * One line an event on standard error: words for a person at a terminal, JSON otherwise. Callers
 * pass ids and counts, never payloads, keys or header values.
 */
export function createLog(write: (line: string) => void, pretty: boolean): Log {
  const line = (level: string, message: string, fields: LogFields): void => {
    if (!pretty) {
      write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
      return;
    }
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => ` ${name}=${String(value)}`)
      .join("");
    write(`${level === "info" ? "" : `${level}: `}${message}${pairs}\n`);
  };
  return {
    info: (message, fields = {}) => line("info", message, fields),
    warn: (message, fields = {}) => line("warn", message, fields),
    error: (message, fields = {}) => line("error", message, fields),
  };
}
