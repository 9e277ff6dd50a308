/** Characters of a piece, about. */
const SIZE = 256 * 1024;

/**
 * The JSON of a value in pieces of about `size` characters, made as they are asked for: a text of megabytes
 * in it is never there as JSON too. Joined, they say what `JSON.stringify` says of plain objects, arrays,
 * strings, numbers, booleans and null.
 */
export function* jsonPieces(value: unknown, size: number = SIZE): Generator<string, void> {
  let held = "";
  for (const part of partsOf(value, size)) {
    held += part;
    if (held.length < size) continue;
    yield held;
    held = "";
  }
  if (held !== "") yield held;
}

function* partsOf(value: unknown, size: number): Generator<string, void> {
  if (typeof value === "string" && value.length > size) {
    yield '"';
    // A character that is cut in two is written as two escapes, which say the same.
    for (let at = 0; at < value.length; at += size)
      yield JSON.stringify(value.slice(at, at + size)).slice(1, -1);
    yield '"';
  } else if (Array.isArray(value)) {
    let before = "[";
    for (const item of value) {
      yield before;
      yield* partsOf(item, size);
      before = ",";
    }
    yield before === "[" ? "[]" : "]";
  } else if (typeof value === "object" && value !== null) {
    let before = "{";
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined) continue;
      yield `${before}${JSON.stringify(name)}:`;
      yield* partsOf(field, size);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  } else yield JSON.stringify(value) ?? "null";
}
