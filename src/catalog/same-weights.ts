/**
 * When two names mean the same weights. Pure functions over names; the rule and its reasons are in
 * docs/decisions/2026-11-20-same-weights.md. When in doubt, they don't.
 */

/** Owner and name; the owner is null for a name without one. */
export function splitName(id: string): { owner: string | null; name: string } {
  const slash = id.indexOf("/");
  return slash === -1
    ? { owner: null, name: id }
    : { owner: id.slice(0, slash), name: id.slice(slash + 1) };
}

/**
 * A name's words and numbers in order, whatever separates them: `Qwen2.5-72B-Instruct` and
 * `qwen-2.5-72b-instruct` are both `qwen 2.5 72 b instruct`. A point inside a number is part of it, so
 * that `v0.1` and `v0-1`, `1-12b` and `11-2b` stay different.
 */
export function wordsOf(name: string): string {
  return (name.toLowerCase().match(/\d+(?:\.\d+)*|[a-z]+|[^\s\w-]/g) ?? []).join(" ");
}

/** A name in lower case throughout: a service's own spelling of a hub's id, or a hub's id that has no capitals. */
export function isSlug(id: string): boolean {
  return id === id.toLowerCase();
}

/** `llama3.2:3b`, `deepseek/deepseek-r1:free`: what follows the colon is another offer, and never looked through. */
export function hasTag(id: string): boolean {
  return id.includes(":");
}

const TUNED = /^(?:instruct|it|chat)$/;

/** Whether a name says that its weights were tuned to talk. A base model and its tuned one differ in this. */
export function isTuned(id: string): boolean {
  return wordsOf(splitName(id).name)
    .split(" ")
    .some((word) => TUNED.test(word));
}
