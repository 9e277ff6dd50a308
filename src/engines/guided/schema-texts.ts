import type { CharDfa } from "./char-dfa.ts";
import { bothOf } from "./dfa-algebra.ts";
import { FORMATS, IMPLIED_PATTERNS, OPEN_FORMATS } from "./formats.ts";
import { regexDfa } from "./regex-dfa.ts";
import type { Schema } from "./schema-keywords.ts";
import { patternsIn } from "./schema-plain.ts";
import { SpecError } from "./spec-error.ts";
import type { Work } from "./work.ts";

/**
 * What the `pattern`s and the `format` of a string let through, null where any text fits. Beside a
 * pattern a format counts as far as texts are known that fit both, and found within steps of their own, as
 * validators that write both mean it; else it only says what the pattern is for. @throws SpecError
 */
export function textDfa(all: Schema, work: Work): CharDfa | null {
  const pattern = patternsDfa(all, work);
  const { format } = all;
  if (format === undefined || OPEN_FORMATS.has(format)) return pattern;
  const known = typeof format === "string" ? formatDfa(format, work) : null;
  if (pattern === null) return known ?? refuse(format);
  if (known === null) return pattern;
  const both = work.tried((own) => bothOf(pattern, known, own));
  // The pattern that the format stands for is in none of them.
  if (both === null && isImplied(all.pattern, format))
    throw new SpecError("No text is known that fits all of its patterns.", "format");
  return both ?? pattern;
}

function patternsDfa(all: Schema, work: Work): CharDfa | null {
  const { pattern, format, allOf } = all;
  const placed = (patternsIn(allOf) ?? []).map((each, index) => [`allOf[${index}].pattern`, each]);
  let dfa: CharDfa | null = null;
  const own = isImplied(pattern, format) ? undefined : pattern;
  for (const [path, source] of [["pattern", own], ...placed]) {
    if (source === undefined) continue;
    const next = patternDfa(source, String(path), work);
    dfa = dfa === null ? next : bothOf(dfa, next, work);
    if (dfa === null) throw new SpecError("No text fits all of its patterns.", String(path));
  }
  return dfa;
}

function isImplied(pattern: unknown, format: unknown): boolean {
  return pattern !== undefined && pattern === IMPLIED_PATTERNS.get(format);
}

function patternDfa(source: unknown, path: string, work: Work): CharDfa {
  if (typeof source !== "string") throw new SpecError("'pattern' is a regular expression.", path);
  try {
    return regexDfa(source, "somewhere", work);
  } catch (error) {
    if (error instanceof SpecError) throw error.within(path);
    throw error;
  }
}

function refuse(format: unknown): never {
  throw new SpecError(
    `The format ${JSON.stringify(format)} can't be enforced; these can: ${[...FORMATS.keys()].join(", ")}.`,
    "format",
  );
}

function formatDfa(format: string, work: Work): CharDfa | null {
  const source = FORMATS.get(format);
  if (source === undefined) return null;
  const known = FORMAT_DFAS.get(source) ?? regexDfa(source, "whole");
  FORMAT_DFAS.set(source, known);
  work.spend(known.states);
  return known;
}

/** They are the same in every schema, and the longest of them takes some milliseconds. */
const FORMAT_DFAS = new Map<string, CharDfa>();
