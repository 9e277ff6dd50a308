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

/** Where a text begins in another, whole or with its first part at the end; else the length. */
export function findMarker(text: string, marker: string): number {
  const whole = text.indexOf(marker);
  if (whole !== -1) return whole;
  for (let size = Math.min(marker.length - 1, text.length); size > 0; size--)
    if (text.endsWith(marker.slice(0, size))) return text.length - size;
  return text.length;
}
