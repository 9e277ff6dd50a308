import { createRequire } from "node:module";

/**
 * Which of these packages are not installed; `npm install --omit=optional` leaves the embedded
 * engines' out. Looks where `from`, the URL or path of a module, would find them, and loads nothing.
 */
export function missingPackages(
  names: readonly string[],
  from: string = import.meta.url,
): readonly string[] {
  const { resolve } = createRequire(from);
  return names.filter((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}

/** Whether the text engine is installed. */
export function engineInstalled(from?: string): boolean {
  return missingPackages(["node-llama-cpp"], from).length === 0;
}

/** What an embedded model lacks when it is not. */
export const NO_ENGINE = "needs the embedded engine: npm install";

/** What a model lacks whose engine imports these packages; null when they are all there. */
export function lacking(requires: readonly string[], from?: string): string | null {
  const missing = missingPackages(requires, from);
  if (missing.length === 0) return null;
  if (missing.includes("node-llama-cpp")) return NO_ENGINE;
  const [only] = missing;
  return missing.length === 1
    ? `needs the package ${only}: npm install`
    : `needs the packages ${missing.join(" and ")}: npm install`;
}
