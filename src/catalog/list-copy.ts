import { readFile } from "node:fs/promises";
import path from "node:path";
import { isMissing, writeAtomically } from "./files.ts";

/**
 * The last good list of each provider, on disk: `{"source":…,"fetched":…,"list":` and the text as it
 * came, so that keeping thirty megabytes costs no parsing.
 */

const MIDDLE = ',"list":\n';

/** Where the lists are kept. */
export function discoveredFolder(home: string): string {
  return path.join(home, "discovered");
}

function copyFile(folder: string, provider: string): string {
  return path.join(folder, `${provider}.json`);
}

/** `source` is where the list is from; the keys it was asked with are in no file. */
export async function keepCopy(
  folder: string,
  provider: string,
  source: string,
  text: string,
  keys: readonly string[],
): Promise<void> {
  const told = { source: withoutUser(source), fetched: new Date().toISOString() };
  const head = JSON.stringify(told).slice(0, -1);
  const list = keys.reduce((shown, key) => shown.replaceAll(key, "[key]"), text);
  await writeAtomically(copyFile(folder, provider), `${head}${MIDDLE}${list}\n}\n`);
}

/** The text of the last good list from that source; null when there is none. */
export async function lastCopy(
  folder: string,
  provider: string,
  source: string,
): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(copyFile(folder, provider), "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  const middle = text.indexOf(MIDDLE);
  if (middle === -1 || !text.endsWith("\n}\n")) return null;
  return text.startsWith(`{"source":${JSON.stringify(withoutUser(source))},`)
    ? text.slice(middle + MIDDLE.length, -3)
    : null;
}

/** An address may hold a password, which belongs in no file. */
function withoutUser(source: string): string {
  const { origin, pathname } = new URL(source);
  return origin + pathname;
}
