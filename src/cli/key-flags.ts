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

/** `90s`, `15m`, `12h`, `30d`, `2w` in seconds. */
export function spanSeconds(flag: string, text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  const unit = SECONDS[match?.[2] ?? ""];
  if (match?.[1] === undefined || unit === undefined) {
    throw wrong(`--${flag}: expected a time such as 12h, 30d or 2w, got "${text}"`);
  }
  return Number(match[1]) * unit;
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
    throw wrong(`--budget: expected US dollars such as "10/month" or "2.50/day", got "${text}"`);
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

/** `30d` from now, a date, or `never`. @param now Unix milliseconds */
function expires(text: string, now: number): string | null {
  if (text === "never") return null;
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const time = Date.parse(text);
    if (!Number.isNaN(time)) return new Date(time).toISOString();
    throw wrong(`--expires: "${text}" is no date`);
  }
  return new Date(now + spanSeconds("expires", text) * 1000).toISOString();
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
