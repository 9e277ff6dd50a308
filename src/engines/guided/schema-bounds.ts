import { SpecError } from "./spec-error.ts";
import type { Work } from "./work.ts";

export const MOST_DEPTH = 64;
export const MOST_VALUES = 20_000;
export const MOST_TEXT = 256 * 1024;

/**
 * Counts before anything is made of it: a schema may nest 64 levels deep, hold 20,000 values, and
 * 256 Ki characters in names and texts together. Takes no longer than it takes to find that out.
 * @throws SpecError
 */
export function checkBounds(schema: unknown, work: Work): void {
  const waiting: { value: unknown; depth: number }[] = [{ value: schema, depth: 0 }];
  let values = 0;
  let text = 0;
  for (let top = waiting.pop(); top !== undefined; top = waiting.pop()) {
    const { value, depth } = top;
    work.spend(2);
    if (depth > MOST_DEPTH) throw new SpecError(`It nests more than ${MOST_DEPTH} levels deep.`);
    if (typeof value === "string") text += value.length;
    else if (Array.isArray(value)) {
      values += value.length;
      if (values <= MOST_VALUES)
        for (const item of value) waiting.push({ value: item, depth: depth + 1 });
    } else if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        values += 1;
        text += name.length;
        waiting.push({ value: item, depth: depth + 1 });
        if (values > MOST_VALUES) break;
      }
    }
    if (values > MOST_VALUES) throw new SpecError(`It holds more than ${MOST_VALUES} values.`);
    if (text > MOST_TEXT) throw new SpecError(`It holds more than ${MOST_TEXT} characters.`);
  }
}
