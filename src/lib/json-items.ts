/**
 * Parses a long list in JSON piece by piece, because `JSON.parse` of thirty megabytes stops everything
 * for a fifth of a second. The list is the whole text, or the value of one of `keys` in an object.
 * Yields between items. Returns the items, or null when the text is no such JSON.
 */
export function* jsonItems(
  text: string,
  keys: readonly string[],
): Generator<void, unknown[] | null> {
  const end = text.length;
  let at = pastSpace(text, 0);
  let found: unknown[] | null = null;
  if (text[at] === "[") {
    const list = yield* itemsAt(text, at);
    if (list === null) return null;
    return pastSpace(text, list.end) === end ? list.items : null;
  }
  if (text[at] !== "{") return null;
  at = pastSpace(text, at + 1);
  let rank = keys.length;
  while (text[at] !== "}") {
    const nameEnd = pastValue(text, at);
    const name = nameEnd === -1 ? undefined : parsed(text, at, nameEnd);
    if (typeof name !== "string") return null;
    at = pastSpace(text, nameEnd);
    if (text[at] !== ":") return null;
    at = pastSpace(text, at + 1);
    const key = keys.indexOf(name);
    if (key !== -1 && key < rank && text[at] === "[") {
      const list = yield* itemsAt(text, at);
      if (list === null) return null;
      ({ items: found } = list);
      rank = key;
      at = list.end;
    } else {
      const valueEnd = pastValue(text, at);
      if (valueEnd === -1 || parsed(text, at, valueEnd) === undefined) return null;
      at = valueEnd;
    }
    at = pastSpace(text, at);
    if (text[at] === ",") at = pastSpace(text, at + 1);
    else if (text[at] !== "}") return null;
  }
  return pastSpace(text, at + 1) === end ? found : null;
}

function* itemsAt(
  text: string,
  start: number,
): Generator<void, { items: unknown[]; end: number } | null> {
  const items: unknown[] = [];
  let at = pastSpace(text, start + 1);
  if (text[at] === "]") return { items, end: at + 1 };
  for (;;) {
    const end = pastValue(text, at);
    const item = end === -1 ? undefined : parsed(text, at, end);
    if (item === undefined) return null;
    items.push(item);
    yield;
    at = pastSpace(text, end);
    if (text[at] === "]") return { items, end: at + 1 };
    if (text[at] !== ",") return null;
    at = pastSpace(text, at + 1);
  }
}

/** Undefined for what is no JSON. */
function parsed(text: string, start: number, end: number): unknown {
  try {
    return JSON.parse(text.slice(start, end));
  } catch {
    return undefined;
  }
}

function pastSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  return at;
}

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** The end of the value that begins here, brackets counted and strings skipped; -1 when it has none. */
function pastValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = closingQuote(text, at);
      if (at === -1) return -1;
      if (depth === 0) return at + 1;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      depth++;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === COMMA || code <= 32)) {
      return at;
    }
  }
  return -1;
}

function closingQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}
