import { z } from "zod";
import file from "./reference.json";

/** What the reference implementation says of some texts (`reference.json` tells where it is from). */
export interface ReferenceRow {
  readonly text: string;
  readonly ids: readonly number[];
  readonly vector: readonly number[];
}

const Rows = z.array(z.object({ text: z.string(), ids: z.array(z.int()), vector: z.string() }));

export const REFERENCE: readonly ReferenceRow[] = Rows.parse(file.rows).map((row) => ({
  ...row,
  vector: floatsOf(row.vector),
}));

/** Little-endian 32-bit floats in base64. */
export function floatsOf(base64: string): readonly number[] {
  const bytes = Buffer.from(base64, "base64");
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
}

/** The largest difference between two vectors' numbers. */
export function farthest(one: readonly number[], other: readonly number[]): number {
  if (one.length !== other.length) return Number.POSITIVE_INFINITY;
  return one.reduce((most, number, at) => Math.max(most, Math.abs(number - (other[at] ?? 0))), 0);
}

export function cosine(one: readonly number[], other: readonly number[]): number {
  const product = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, number, at) => sum + number * (b[at] ?? 0), 0);
  return product(one, other) / Math.sqrt(product(one, one) * product(other, other));
}
