import { GuideError } from "./guide-error.ts";
import type { Machine, Position } from "./machine.ts";
import { type GuidedVocabulary, setBit, type TokenTrie } from "./token-trie.ts";

/**
 * Steps of single ways that finding one mask may take, 30 to 50 ms: all answers of the model wait for
 * it. A form without much ambiguity takes less than a quarter of it in a vocabulary of 150,000.
 */
const MOST_STEPS = 150_000;

/**
 * The tokens that may come at a position, end tokens left out.
 * @throws GuideError when that takes too long to find out
 */
export function tokensAt(
  position: Position,
  machine: Machine,
  vocabulary: GuidedVocabulary,
): Uint32Array {
  if (position.tokens !== null) return position.tokens;
  const { plain, special, all } = vocabulary;
  const counts = position.threads.map(({ leaf, state }) => leaf.plainCharacters(state));
  const most = Math.max(0, ...counts);
  const longest = plain.length - 1;
  // What is plain needs no look at each token, where either all of it may come or no more of it could.
  const known =
    most >= longest ||
    (most > 0 && position.threads.every(({ leaf, state }) => leaf.plainNoLonger(state)));
  const mask = known
    ? (plain[Math.min(most, longest)] ?? new Uint32Array()).slice()
    : new Uint32Array(Math.ceil(vocabulary.size / 32));
  walk(known ? special : all, position, machine, mask);
  machine.keep(position, mask);
  return mask;
}

function walk(trie: TokenTrie, start: Position, machine: Machine, mask: Uint32Array): void {
  const { size, byte, depth, end, from, tokens } = trie;
  const path: Position[] = [start];
  const most = machine.spent + MOST_STEPS;
  for (let at = 0; at < size; ) {
    const level = depth[at] ?? 0;
    const next = machine.step(path[level] ?? start, byte[at] ?? 0);
    if (machine.spent > most)
      throw new GuideError(
        "The guide is too ambiguous: finding out which tokens may come takes too long. Fewer alternatives that begin alike, or one expression for them all, take less.",
      );
    if (next === null) {
      at = end[at] ?? size;
      continue;
    }
    path[level + 1] = next;
    at += 1;
    for (let i = from[at - 1] ?? 0; i < (from[at] ?? 0); i++) setBit(mask, tokens[i] ?? 0);
  }
}
