/**
 * Formats of JSON Schema as regular expressions for the whole text. Each takes a part of what the
 * format allows, nothing else: a date's 29 February is left out, an IPv6 address is written in full.
 * What libraries are stricter about than the format is left out too: Python has no year 0000.
 */
const DATE =
  "[1-9]\\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))";
const TIME =
  "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?";
const HOST = `${LABEL}(?:\\.${LABEL}){0,3}`;
/** Of `http` and `https`, with a name of at least two parts. */
const URI =
  "https?://(?:[a-z0-9]+(?:-[a-z0-9]+)*\\.)+[a-z]{2,6}(?::[1-9]\\d{0,3})?(?:/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*)*(?:\\?(?:[A-Za-z0-9._~=&-]|%[0-9A-F]{2})*)?(?:#[A-Za-z0-9._~-]*)?";
/** At most 62 characters: there may be 64. */
const MAILBOX = "[A-Za-z0-9_+-]{1,20}(?:\\.[A-Za-z0-9_+-]{1,20}){0,2}";
/** A label without dashes in its third and fourth place, which say that it is no plain name: `xn--…` (RFC 5891). */
const PLAIN_LABEL =
  "[a-z0-9](?:[a-z0-9-]{0,2}[a-z0-9]|[a-z0-9-](?:[a-z0-9][a-z0-9-]|-[a-z0-9])[a-z0-9-]{0,27}[a-z0-9])?";
/** As pydantic's `EmailStr` asks for: last letters alone, and none of the names kept for other uses (RFC 6761). */
const MAIL_HOST = `(?:${PLAIN_LABEL}\\.){1,3}(?!(?:arpa|invalid|local|localhost|onion|test)$)[a-z]{2,10}`;
const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

export const FORMATS: ReadonlyMap<string, string> = new Map([
  ["date", DATE],
  ["time", TIME],
  ["date-time", `${DATE}T${TIME}`],
  [
    "duration",
    "P(?:\\d{1,4}W|\\d{1,4}Y(?:\\d{1,4}M(?:\\d{1,4}D)?)?|\\d{1,4}M(?:\\d{1,4}D)?|\\d{1,4}D|T(?:\\d{1,4}H(?:\\d{1,4}M(?:\\d{1,4}S)?)?|\\d{1,4}M(?:\\d{1,4}S)?|\\d{1,4}S))",
  ],
  ["email", `${MAILBOX}@${MAIL_HOST}`],
  ["hostname", HOST],
  ["ipv4", `${OCTET}(?:\\.${OCTET}){3}`],
  ["ipv6", "[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}"],
  ["uri", URI],
  ["uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"],
  // pydantic's
  ...[1, 3, 4, 5].map((version): [string, string] => [
    `uuid${version}`,
    `[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`,
  ]),
]);

/**
 * Patterns that every text of a format above fits, and that take too long to work out: zod's `unicodeEmail`, and
 * that of a host, which counts all characters (at most 253; ours have at most 131) beside those of each label.
 */
export const IMPLIED_PATTERNS: ReadonlyMap<unknown, string> = new Map([
  ["email", '^[^\\s@"]{1,64}@[^\\s@]{1,255}$'],
  [
    "hostname",
    "^(?=.{1,253}\\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\\.?$",
  ],
]);

/** They say what a text is for, not how it looks: OpenAPI's and pydantic's. */
export const OPEN_FORMATS: ReadonlySet<unknown> = new Set([
  ...["binary", "password", "path", "file-path", "directory-path"],
]);
