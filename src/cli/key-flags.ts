import { KEY_ENDPOINTS, type KeyUpdate } from "../contract/admin-keys.ts";
import { UserError } from "../lib/user-error.ts";

/** The flags of `covey keys` as the admin API's request, so that one schema checks both. */

const SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};

type Flags = Readonly<Record<string, string | undefined>>;

function wrong(message: string): UserError {
  return new UserError(`${message}; see npx covey keys --help`, { exitCode: 2 });
}

/** `90s`, `15m`, `12h`, `30d`, `2w` in seconds; null for anything else. */
function spanOf(text: string): number | null {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  const unit = SECONDS[match?.[2] ?? ""];
  return match?.[1] === undefined || unit === undefined ? null : Number(match[1]) * unit;
}

/** The same; a `UserError` for anything else. */
export function spanSeconds(flag: string, text: string): number {
  const seconds = spanOf(text);
  if (seconds !== null) return seconds;
  throw wrong(`--${flag}: expected a time such as 12h, 30d or 2w, got "${text}"`);
}

const list = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** A list, or null for the word `all`. */
const listOrAll = (text: string): string[] | null => (text === "all" ? null : list(text));

const orNull = (text: string, none: string): string | null => (text === none ? null : text);

function budget(text: string): KeyUpdate["budget"] {
  if (text === "none") return null;
  const match = /^(\d+(?:\.\d{1,9})?)\/(day|month)$/.exec(text);
  const period = match?.[2];
  if (match?.[1] === undefined || (period !== "day" && period !== "month")) {
    throw wrong(
      `--budget: expected US dollars a day or month, 0 or more, such as "10/month" or "2.50/day", or none for the plan's; got "${text}"`,
    );
  }
  return { period, usd: Number(match[1]) };
}

function endpoints(text: string): KeyUpdate["endpoints"] {
  const names = listOrAll(text);
  return (
    names?.map((name) => {
      const known = KEY_ENDPOINTS.find((each) => each === name);
      if (known !== undefined) return known;
      throw wrong(`--endpoints: there is no "${name}"; there are ${KEY_ENDPOINTS.join(", ")}`);
    }) ?? null
  );
}

function payloads(text: string): KeyUpdate["payloads"] {
  if (text === "off" || text === "sampled" || text === "on") return text;
  if (text === "default") return null;
  throw wrong(`--payloads: expected off, sampled, on or default, got "${text}"`);
}

const EXPIRES =
  "expected a time from now (12h, 30d, 2w), a date (2027-01-31, or 2027-01-31T18:00Z), or never";

/** `30d` from now, a date, or `never`. @param now Unix milliseconds */
function expires(text: string, now: number): string | null {
  if (text === "never") return null;
  const isDate = /^\d{4}-\d{2}-\d{2}/.test(text);
  const span = spanOf(text);
  const time = isDate ? Date.parse(text) : span === null ? Number.NaN : now + span * 1000;
  if (Number.isNaN(time)) throw wrong(`--expires: ${EXPIRES}; got "${text}"`);
  const iso = new Date(time).toISOString();
  if (time > now) return iso;
  throw wrong(
    `--expires: ${iso} is in the past; ${EXPIRES}. covey keys disable and revoke end a key at once`,
  );
}

/**
 * What the flags change; those that are not there change nothing.
 * @param now Unix milliseconds
 * @throws UserError with exit code 2
 */
export function changeOf(flags: Flags, isAdmin: boolean, now: number): KeyUpdate {
  const { name, owner, plan, models, tags } = flags;
  return {
    ...(name === undefined ? {} : { name }),
    ...(owner === undefined ? {} : { owner }),
    ...(isAdmin ? { role: "admin" as const } : {}),
    ...(plan === undefined ? {} : { plan: orNull(plan, "none") }),
    ...(models === undefined ? {} : { models: listOrAll(models) }),
    ...(flags.endpoints === undefined ? {} : { endpoints: endpoints(flags.endpoints) }),
    ...(flags.budget === undefined ? {} : { budget: budget(flags.budget) }),
    ...(tags === undefined ? {} : { tags: list(tags) }),
    ...(flags.payloads === undefined ? {} : { payloads: payloads(flags.payloads) }),
    ...(flags.expires === undefined ? {} : { expires_at: expires(flags.expires, now) }),
  };
}
