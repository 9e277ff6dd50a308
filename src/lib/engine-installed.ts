import { createRequire } from "node:module";

/**
 * Whether the embedded engine was installed; `npm install --omit=optional` leaves it out. Looks
 * where `from`, the URL or path of a module, would find it, and loads nothing.
 */
export function engineInstalled(from: string = import.meta.url): boolean {
  try {
    createRequire(from).resolve("node-llama-cpp");
    return true;
  } catch {
    return false;
  }
}

/** What an embedded model lacks when it is not. */
export const NO_ENGINE = "needs the embedded engine: npm install";
