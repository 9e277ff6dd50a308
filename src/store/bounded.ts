/** Longest text of a caller's that the log keeps, in UTF-16 units. */
export const MAX_TEXT = 256;

/**
 * A stranger's text, safe to keep: at most `MAX_TEXT` long, no half characters, and no NUL, which
 * PostgreSQL's text cannot hold.
 */
export function bounded(text: string): string {
  if (text.length <= MAX_TEXT && text.isWellFormed() && !text.includes("\0")) return text;
  return text.slice(0, MAX_TEXT).toWellFormed().replaceAll("\0", "\ufffd");
}

export function boundedOrNull(text: string | null): string | null {
  return text === null ? null : bounded(text);
}
