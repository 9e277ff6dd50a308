import type { ListState } from "./live-models.ts";

/** What can be asked for a model by its name. */
interface Names {
  resolve(name: string): unknown;
  nearest(name: string): readonly string[];
}

/**
 * Names under `[routing.models]` that no model has, so that what is said of them holds for nothing. Pure.
 * `place` tells where the config says something. To be asked once the providers' lists are there.
 */
export function routingWarnings(
  rules: Readonly<Record<string, { readonly contextFallback?: string | undefined }>>,
  names: Names,
  lists: readonly ListState[],
  place: (at: readonly string[]) => string,
): string[] {
  const absent = lists.filter(({ models, trouble }) => models === 0 && trouble !== null);
  const hint = (name: string): string => {
    const [close] = names.nearest(name);
    if (close !== undefined) return `; did you mean "${close}"?`;
    return absent.length === 0
      ? ""
      : ` (not known: what ${absent.map(({ provider }) => provider).join(", ")} would list)`;
  };
  return Object.entries(rules).flatMap(([name, { contextFallback }]) => {
    const table = ["routing", "models", name];
    const faults: string[] = [];
    if (names.resolve(name) === undefined)
      faults.push(`${place(table)}routing.models: no model has the name "${name}"${hint(name)}`);
    if (contextFallback !== undefined && names.resolve(contextFallback) === undefined)
      faults.push(
        `${place([...table, "context_fallback"])}context_fallback: no model has the name "${contextFallback}"${hint(contextFallback)}`,
      );
    return faults;
  });
}
