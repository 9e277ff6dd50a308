/**
 * Where in a TOML text something stands. Pure. Reads headers and `key =` lines, which is what people
 * write; inside inline tables and arrays it gives the line of the key that holds them.
 */

/** The keys of a dotted, possibly quoted TOML key: `providers."a.b".url` is three. */
function splitKey(text: string): string[] {
  const parts = text.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^.\s]+/g) ?? [];
  return parts.map((part) => part.replace(/^(["'])(.*)\1$/, "$2"));
}

/**
 * The line (from 1) on which the value at `path` is set, or the nearest line above it in the tree
 * that can be told; undefined when the file says nothing about it.
 */
export function lineOf(source: string, path: readonly (string | number)[]): number | undefined {
  const wanted = path.map(String);
  const seen = new Map<string, number>();
  let section: string[] = [];
  let best: { line: number; depth: number } | undefined;
  source.split("\n").forEach((text, index) => {
    const header = /^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$/.exec(text);
    const entry =
      /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=/.exec(text);
    let keys: string[];
    if (header !== null) {
      keys = splitKey(header[2] ?? "");
      if (header[1] === "[[") {
        const name = keys.join(".");
        const position = seen.get(name) ?? 0;
        seen.set(name, position + 1);
        keys = [...keys, String(position)];
      }
      section = keys;
    } else if (entry !== null) keys = [...section, ...splitKey(entry[1] ?? "")];
    else return;
    const shared = keys.findIndex((key, depth) => key !== wanted[depth]);
    const depth = shared === -1 ? keys.length : 0;
    if (depth > 0 && (best === undefined || depth > best.depth)) best = { line: index + 1, depth };
  });
  return best?.line;
}
