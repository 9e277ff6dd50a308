import type { Stats } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { isMissing, writeAtomically } from "./files.ts";

/**
 * Beside verified weights lies a small file that says which bytes were verified, so that a later
 * start need not hash them again. It holds as long as path, size and time of change are the same.
 */
const Marker = z.object({
  path: z.string(),
  size: z.number(),
  mtimeMs: z.number(),
  sha256: z.string(),
});
export type Marker = z.infer<typeof Marker>;

/** `name` as `weightsName` gives it. */
export function markerFile(folder: string, name: string): string {
  return path.join(folder, `${name}.verified.json`);
}

export async function readMarker(file: string): Promise<Marker | undefined> {
  try {
    const parsed = Marker.safeParse(JSON.parse(await readFile(file, "utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function isVerified(
  marker: Marker | undefined,
  file: string,
  stats: Stats,
  sha256: string,
): boolean {
  return (
    marker !== undefined &&
    marker.path === file &&
    marker.size === stats.size &&
    marker.mtimeMs === stats.mtimeMs &&
    marker.sha256 === sha256
  );
}

export async function writeMarker(file: string, marker: Marker): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(marker, null, 2)}\n`);
}
