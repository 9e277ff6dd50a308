import type { Model } from "../types.ts";
import type { Aliases } from "./aliases.ts";
import type { Entry } from "./entries.ts";
import { hasTag, isSlug, isTuned, splitName, wordsOf } from "./same-weights.ts";

/** Everything that has the same weights: an embedded model, entries at providers, or both. */
export interface Group {
  readonly own: Model | null;
  readonly entries: readonly Entry[];
  /** Every spelling of it that was met, its own id first. */
  readonly spellings: readonly string[];
}

interface Node {
  own: Model | null;
  readonly entries: Entry[];
  readonly spellings: Set<string>;
  /** No spelling has a capital. */
  slug: boolean;
  /** Another node of the same weights that stands for this one. */
  into: Node | null;
}

/**
 * Puts together what has the same weights, by names alone; the rule is in
 * docs/decisions/2026-11-20-same-weights.md. Pure; yields between steps.
 */
export function* groupEntries(
  own: readonly Model[],
  entries: readonly Entry[],
  aliases: Aliases,
): Generator<void, Group[]> {
  const nodes = yield* exactNodes(own, entries, aliases);
  yield* joinSlugs(nodes);
  yield* joinUnowned(nodes);
  const groups: Group[] = [];
  for (const node of nodes.values()) {
    if (node.into === null && (node.own !== null || node.entries.length > 0))
      groups.push({ own: node.own, entries: node.entries, spellings: [...node.spellings] });
    yield;
  }
  return groups;
}

/** One node a name, whatever its case; other names of the alias table lead to the same node. */
function* exactNodes(
  own: readonly Model[],
  entries: readonly Entry[],
  aliases: Aliases,
): Generator<void, Map<string, Node>> {
  const nodes = new Map<string, Node>();
  const ownAliases = new Map<string, Node>();
  const nodeOf = (key: string): Node => {
    const known = nodes.get(key);
    if (known !== undefined) return known;
    const node: Node = { own: null, entries: [], spellings: new Set(), slug: true, into: null };
    nodes.set(key, node);
    return node;
  };
  for (const model of own) {
    const canonical = aliases.canonical(model.id);
    const node = nodeOf(nodes.get(canonical)?.own ? model.id.toLowerCase() : canonical);
    node.own = model;
    spell(node, model.id);
    for (const alias of model.aliases) ownAliases.set(alias.toLowerCase(), node);
  }
  const claims = yield* hubClaims(entries, aliases);
  /** A list's word that a model of another name is one of our own would bring it our prompts. */
  const isCapture = (entry: Entry, hub: string): boolean =>
    (nodes.get(aliases.canonical(hub))?.own ?? null) !== null &&
    wordsOf(splitName(entry.id).name) !== wordsOf(splitName(hub).name);
  for (const entry of entries) {
    // What the config calls by an embedded model's short name is that model; a list's word is less.
    const named = entry.chosen === null ? undefined : ownAliases.get(entry.id.toLowerCase());
    const claimed = hubOf(entry, claims, aliases);
    const hub = claimed !== null && isCapture(entry, claimed) ? null : claimed;
    const node = named ?? nodeOf(aliases.canonical(hub ?? entry.id));
    if (hub !== null) spell(node, hub);
    spell(node, entry.id);
    node.entries.push(entry);
    yield;
  }
  return nodes;
}

function spell(node: Node, name: string): void {
  node.spellings.add(name);
  if (!isSlug(name)) node.slug = false;
}

const claimKey = (entry: Entry, hub: string, aliases: Aliases): string =>
  `${entry.provider.settings.id} ${aliases.canonical(hub)}`;

/** How many entries of one provider say that they are the same repository. */
function* hubClaims(
  entries: readonly Entry[],
  aliases: Aliases,
): Generator<void, Map<string, number>> {
  const claims = new Map<string, number>();
  for (const entry of entries) {
    const hub = entry.listed?.hub ?? null;
    if (hub === null || hasTag(entry.id)) continue;
    const key = claimKey(entry, hub, aliases);
    claims.set(key, (claims.get(key) ?? 0) + 1);
    yield;
  }
  return claims;
}

/** The repository that a list says an entry is, if that can be believed. */
function hubOf(entry: Entry, claims: ReadonlyMap<string, number>, aliases: Aliases): string | null {
  const hub = entry.listed?.hub ?? null;
  // In the config an id is the operator's own word for it.
  if (hub === null || hasTag(entry.id) || entry.chosen !== null) return null;
  const { owner, name } = splitName(entry.id);
  // A name with an owner says itself what it is; where the two disagree, neither is believed.
  if (owner !== null && isTuned(name) !== isTuned(hub)) return null;
  if ((claims.get(claimKey(entry, hub, aliases)) ?? 0) === 1) return hub;
  return wordsOf(name) === wordsOf(splitName(hub).name) ? hub : null;
}

/** A service's lower-case spelling of an owned name, and the hub's: `qwen/qwen-2.5-7b`, `Qwen/Qwen2.5-7B`. */
function* joinSlugs(nodes: ReadonlyMap<string, Node>): Generator<void, void> {
  const alike = new Map<string, Node[]>();
  for (const [key, node] of nodes) {
    const { owner, name } = splitName(key);
    if (owner !== null && !hasTag(key)) pushTo(alike, `${owner}/${wordsOf(name)}`, node);
    yield;
  }
  for (const same of alike.values()) {
    const [first, ...others] = same;
    if (first === undefined || others.length === 0) continue;
    if (same.filter(({ slug }) => !slug).length > 1 || shareProvider(same)) continue;
    for (const other of others) join(first, other);
    yield;
  }
}

/** A name without an owner is an owned model's when exactly one of them has that name. */
function* joinUnowned(nodes: ReadonlyMap<string, Node>): Generator<void, void> {
  const unowned: [words: string, node: Node][] = [];
  const owned = new Map<string, Set<Node>>();
  for (const [key, node] of nodes) {
    const { owner, name } = splitName(key);
    if (hasTag(key)) continue;
    const words = wordsOf(name);
    if (owner === null) unowned.push([words, node]);
    else {
      const known = owned.get(words);
      if (known === undefined) owned.set(words, new Set([rootOf(node)]));
      else known.add(rootOf(node));
    }
    yield;
  }
  for (const [words, node] of unowned) {
    const [only, another] = owned.get(words) ?? [];
    if (only !== undefined && another === undefined && !shareProvider([only, node]))
      join(only, node);
    yield;
  }
}

function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function rootOf(node: Node): Node {
  return node.into === null ? node : rootOf(node.into);
}

/** One list with both names means two things by them. */
function shareProvider(nodes: readonly Node[]): boolean {
  const seen = new Set<string>();
  for (const { own, entries } of nodes) {
    const here = new Set(entries.map(({ provider }) => provider.settings.id));
    if (own !== null) here.add("local");
    for (const id of here) {
      if (seen.has(id)) return true;
      seen.add(id);
    }
  }
  return false;
}

function join(into: Node, node: Node): void {
  if (into === node || node.into !== null) return;
  node.into = into;
  into.own ??= node.own;
  into.entries.push(...node.entries);
  for (const name of node.spellings) into.spellings.add(name);
  into.slug &&= node.slug;
}
