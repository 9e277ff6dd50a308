import type { KeyItem } from "../contract/admin-keys.ts";
import { formatTable } from "./format.ts";

/** Keys for people at a terminal. */

const listed = (names: readonly string[] | null): string =>
  names === null ? "all" : names.length === 0 ? "none" : names.join(", ");

const day = (time: string | null, none: string): string =>
  time === null ? none : time.slice(0, 10);

const spends = ({ budget }: KeyItem): string =>
  budget === null ? "–" : `${budget.usd}/${budget.period}`;

/** A row a key. */
export function keysTable(keys: readonly KeyItem[]): string {
  if (keys.length === 0) return "There are no keys yet: npx covey keys create --name <name>";
  return formatTable([
    ["KEY", "NAME", "OWNER", "PLAN", "MODELS", "BUDGET", "EXPIRES", "STATE"],
    ...keys.map((key) => [
      key.prefix,
      key.role === "admin" ? `${key.name} (admin)` : key.name,
      key.owner === "" ? "–" : key.owner,
      key.plan ?? "–",
      key.models !== null && key.models.length > 2 ? `${key.models.length}` : listed(key.models),
      spends(key),
      day(key.expires_at, "never"),
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
      ["expires", key.expires_at ?? "never"],
      ...(key.disabled_at === null ? [] : [["disabled", key.disabled_at]]),
      ...(key.revoked_at === null ? [] : [["revoked", key.revoked_at]]),
    ].map(([name = "", value = ""]) => [name, value]),
  );
}
