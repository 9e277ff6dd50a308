const SPACE = /\s/;

/**
 * How much of `text` is this marker, white space in either not counted: models write more or less of
 * it than their templates. `"part"`: the text ends inside the marker. Null: it is something else.
 */
export function matchMarker(text: string, marker: string): number | "part" | null {
  let at = 0;
  for (const wanted of marker) {
    if (SPACE.test(wanted)) continue;
    while (at < text.length && SPACE.test(text.charAt(at))) at++;
    if (at >= text.length) return "part";
    if (!text.startsWith(wanted, at)) return null;
    at += wanted.length;
  }
  return at;
}

/** The same with the white space that it ends with: what follows may begin with some of its own. */
export function matchWhole(text: string, marker: string): number | "part" | null {
  const size = matchMarker(text, marker);
  const space = marker.slice(marker.trimEnd().length);
  if (typeof size !== "number" || space === "") return size;
  const rest = text.slice(size);
  if (rest.startsWith(space)) return size + space.length;
  if (rest.trimStart() === "") return "part";
  return size + rest.length - rest.trimStart().length;
}

/** Where a text begins in another, whole or with its first part at the end; else the length. */
export function findMarker(text: string, marker: string): number {
  const whole = text.indexOf(marker);
  if (whole !== -1) return whole;
  for (let size = Math.min(marker.length - 1, text.length); size > 0; size--)
    if (text.endsWith(marker.slice(0, size))) return text.length - size;
  return text.length;
}
