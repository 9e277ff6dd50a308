import type { KeyItem } from "../contract/admin-keys.ts";
import { formatTable } from "./format.ts";

/** Keys for people at a terminal. */

const listed = (names: readonly string[] | null): string =>
  names === null ? "all" : names.length === 0 ? "none" : names.join(", ");

const MOST_MODELS = 40;

/** The patterns, as many as there is room for, and how many more there are. */
export function modelsShown(models: readonly string[] | null): string {
  const all = listed(models);
  if (models === null || all.length <= MOST_MODELS) return all;
  let shown = 0;
  for (let length = 0; shown < models.length; shown++) {
    length += (models[shown] ?? "").length + 2;
    if (length > MOST_MODELS) break;
  }
  const [first = ""] = models;
  const some = shown === 0 ? `${first.slice(0, MOST_MODELS)}…` : listed(models.slice(0, shown));
  const more = models.length - Math.max(1, shown);
  return more === 0 ? some : `${some} and ${more} more`;
}

/** To the minute, in UTC. */
const minute = (time: string | null, none: string): string =>
  time === null ? none : time.slice(0, 16).replace("T", " ");

const spends = ({ budget }: KeyItem): string =>
  budget === null ? "–" : `${budget.usd}/${budget.period}`;

/** A row a key. */
export function keysTable(keys: readonly KeyItem[]): string {
  if (keys.length === 0) return "There are no keys yet: npx covey keys create --name <name>";
  return formatTable([
    ["KEY", "NAME", "OWNER", "PLAN", "MODELS", "BUDGET", "LAST USED (UTC)", "EXPIRES", "STATE"],
    ...keys.map((key) => [
      key.prefix,
      key.role === "admin" ? `${key.name} (admin)` : key.name,
      key.owner === "" ? "–" : key.owner,
      key.plan ?? "–",
      modelsShown(key.models),
      spends(key),
      minute(key.last_used_at, "never"),
      minute(key.expires_at, "never"),
      key.state,
    ]),
  ]);
}

/** Everything about one key, a line each. */
export function keyDetails(key: KeyItem): string {
  return formatTable(
    [
      ["key", `${key.prefix}-…`],
      ["id", key.id],
      ["name", key.name],
      ["state", key.state],
      ["role", key.role],
      ["owner", key.owner === "" ? "–" : key.owner],
      ["plan", key.plan ?? "–"],
      ["models", listed(key.models)],
      ["endpoints", listed(key.endpoints)],
      ["budget", spends(key)],
      ["tags", key.tags.length === 0 ? "–" : key.tags.join(", ")],
      ["payloads", key.payloads ?? "as configured"],
      ["made", key.created_at],
      ...(key.previous === null
        ? []
        : [["old key", `${key.previous.prefix}-…, works until ${key.previous.works_until}`]]),
      ["last used", key.last_used_at ?? "never"],
      ["expires", key.expires_at ?? "never"],
      ...(key.disabled_at === null ? [] : [["disabled", key.disabled_at]]),
      ...(key.revoked_at === null ? [] : [["revoked", key.revoked_at]]),
    ].map(([name = "", value = ""]) => [name, value]),
  );
}
