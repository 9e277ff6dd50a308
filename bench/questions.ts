import { GROUPS, type Group } from "../src/contract/analytics.ts";

/** What the analytics API can be asked, for measuring: everything by everything, with the busiest names. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The names with the most made-up calls (`made-up-calls.ts`): the dearest to filter on. */
const BUSIEST: Readonly<Record<Group, string>> = {
  key: "key_0000",
  model: "maker-0/model-0-8b",
  provider: "local",
  endpoint: "/v1/chat/completions",
  status: "completed",
  error: "upstream_error",
};

export interface Question {
  /** What it is counted under. */
  readonly kind: string;
  readonly path: string;
}

/** @param until Unix milliseconds of the newest call @param callId of some call */
export function questions(until: number, callId: string): Question[] {
  return [...figures(until), ...lists(until, callId)];
}

function figures(until: number): Question[] {
  const asked: Question[] = [];
  const ask = (kind: string, what: string, days: number, fields: Record<string, string>) => {
    const to = new Date(until).toISOString();
    const from = new Date(until - days * DAY).toISOString();
    const query = new URLSearchParams({ from, to, ...fields });
    asked.push({ kind, path: `/admin/v1/analytics/${what}?${query}` });
  };
  for (const filter of filters()) {
    for (const days of [1, 30, 90]) ask(`totals, ${days} d`, "totals", days, filter);
    for (const days of [30, 90]) ask(`errors, ${days} d`, "errors", days, filter);
    for (const [span, days] of [
      ["minute", 1],
      ["hour", 31],
      ["day", 90],
    ] as const) {
      const kind = `series by ${span}, ${days} d`;
      ask(kind, "series", days, { ...filter, span });
      for (const by of GROUPS) {
        ask(`${kind}, by one more`, "series", days, { ...filter, span, by });
        const latency = { span, by, latency: "true" };
        ask(`${kind}, by one more, latency`, "series", days, { ...filter, ...latency });
      }
    }
    for (const by of GROUPS) {
      for (const days of [1, 30, 90]) {
        ask(`top, ${days} d`, "top", days, { ...filter, by, sort: "cost" });
        ask(`top, ${days} d, latency`, "top", days, { ...filter, by, latency: "true" });
      }
    }
  }
  return asked;
}

/** None, and one for each thing that can be filtered on. */
function filters(): Record<string, string>[] {
  return [{}, ...GROUPS.map((group) => ({ [group]: BUSIEST[group] }))];
}

function lists(until: number, callId: string): Question[] {
  const before = (days: number) => `${until - days * DAY}_`;
  const sparse: Record<string, string>[] = [
    { status: "interrupted" },
    { error: "upstream_error" },
    { error: "there-is-none" },
    { key: "key_0199" },
    { key: "nobody" },
    { key: "key_0199", model: "maker-1/model-29-70b" },
    { model: "maker-1/model-29-70b", status: "interrupted" },
    { resumed: "true" },
    { min_cost: "900" },
    { min_total_ms: "1000000" },
    { request_id: "nobody's" },
  ];
  const list = (kind: string, fields: Record<string, string>) => ({
    kind,
    path: `/admin/v1/calls?${new URLSearchParams(fields)}`,
  });
  return [
    ...filters().map((filter) => list("a page of the list", filter)),
    ...filters().map((filter) =>
      list("a page in the middle of the list", { ...filter, after: before(20) }),
    ),
    ...sparse.map((filter) => list("a page of what there is little of", filter)),
    { kind: "one call", path: `/admin/v1/calls/${callId}` },
  ];
}
