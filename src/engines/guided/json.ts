import { ANY_TEXT } from "./char-dfa.ts";
import { FurtherKey } from "./key.ts";
import {
  either,
  freshId,
  type Leaf,
  type LeafState,
  lazy,
  NOTHING,
  type Node,
  repeat,
  sequence,
} from "./node.ts";
import { NumberLeaf } from "./number.ts";
import { ANY_LENGTH, Text } from "./text.ts";
import { inOrder, literal, oneOf, oneOfOrdered, type Word } from "./words.ts";

/** Properties of one object that its schema does not name. */
export const MOST_FURTHER = 64;
/** Values in one another where the schema says nothing of them. */
export const MOST_FREE_DEPTH = 16;
/** Spaces and tabs after a line break. */
export const MOST_INDENT = 24;

/** Nothing, a space, or a line break and an indent: bounded, so that no answer is lost in it. */
class WhiteSpace implements Leaf {
  readonly kind = "leaf";
  readonly id = freshId();
  readonly start = 0;
  readonly cost = 1;

  step(state: LeafState, byte: number): LeafState | null {
    const at = Number(state);
    if (at === 0) return byte === 0x20 ? 1 : byte === 0x0a ? 2 : null;
    return at >= 2 && at < 2 + MOST_INDENT && (byte === 0x20 || byte === 0x09) ? at + 1 : null;
  }

  exit(): Node {
    return NOTHING;
  }

  goesOn(state: LeafState): boolean {
    return Number(state) !== 1 && Number(state) < 2 + MOST_INDENT;
  }

  plainCharacters(): number {
    return 0;
  }

  plainNoLonger(): boolean {
    return false;
  }
}

const SPACE = new WhiteSpace();
const COMMA = sequence(literal(","), SPACE);
const COLON = sequence(literal(":"), SPACE);
const QUOTE = literal('"');
const END_OF_OBJECT = sequence(SPACE, literal("}"));
const END_OF_ARRAY = sequence(SPACE, literal("]"));

/** A string with this inside, which reads its closing quote too. */
export function stringOf(text: Text): Node {
  return sequence(QUOTE, text);
}

export const ANY_STRING = stringOf(new Text(ANY_TEXT, ANY_LENGTH, true));
export const BOOLEAN = oneOf(["true", "false"]);
export const NULL = literal("null");

export interface Property {
  readonly name: string;
  readonly value: Node;
  readonly required: boolean;
}

/**
 * An object: its properties in this order, then further ones, if any, under other names. No name
 * comes twice.
 */
export function objectOf(properties: readonly Property[], further: Node | null): Node {
  const values = (required: boolean) =>
    properties.filter((one) => one.required === required).map(({ value }) => value);
  return lazy(
    (usable) => {
      const kept = properties.filter(({ value }) => usable(value));
      const other = further !== null && usable(further) ? further : null;
      const names = new Set(properties.map(({ name }) => name));
      return sequence(literal("{"), new Members(kept, other, names).from(0));
    },
    values(true),
    further === null ? values(false) : [...values(false), further],
  );
}

class Members {
  readonly #properties: readonly Property[];
  readonly #further: Node | null;
  readonly #names: ReadonlySet<string>;
  readonly #from: Node[] = [];
  /** All keys: put in order once, whichever of them may come. */
  readonly #keys: readonly Word[];

  /** @param names that no further property may have: those that nothing fits, and come never, are among them */
  constructor(properties: readonly Property[], further: Node | null, names: ReadonlySet<string>) {
    this.#properties = properties;
    this.#further = further;
    this.#names = names;
    this.#keys = inOrder(properties.map(({ name }) => JSON.stringify(name)));
  }

  /** What follows when the properties before `index` are written or left out. */
  from(index: number): Node {
    this.#from[index] ??= lazy(() => this.#open(index), [], []);
    return this.#from[index];
  }

  #open(index: number): Node {
    const required = this.#properties.findIndex((one, at) => at >= index && one.required);
    const last = required === -1 ? this.#properties.length - 1 : required;
    const choices = this.#keys.filter((key) => key.index >= index && key.index <= last);
    const key = oneOfOrdered(choices, (word) => {
      const value = this.#properties[word]?.value ?? NOTHING;
      return sequence(COLON, value, this.from(word + 1));
    });
    const keys: Node[] = choices.length === 0 ? [] : [key];
    if (required === -1 && this.#further !== null) keys.push(this.#furtherKey(new Set()));
    // Nothing is before it only where it is the first: a way from another index came past one.
    const next = sequence(index === 0 ? SPACE : COMMA, either(...keys));
    if (required !== -1) return next;
    return keys.length === 0 ? END_OF_OBJECT : either(END_OF_OBJECT, next);
  }

  #furtherKey(taken: ReadonlySet<string>): Node {
    const isTaken = (key: string) => this.#names.has(key) || taken.has(key);
    const key = new FurtherKey(isTaken, (name) =>
      sequence(COLON, this.#further ?? NOTHING, this.#afterFurther(new Set([...taken, name]))),
    );
    return sequence(QUOTE, key);
  }

  #afterFurther(taken: ReadonlySet<string>): Node {
    if (taken.size >= MOST_FURTHER) return END_OF_OBJECT;
    return lazy(() => either(END_OF_OBJECT, sequence(COMMA, this.#furtherKey(taken))), [], []);
  }
}

/** An array: `first` in this order, then any number of `items`, between `least` and `most` together. */
export function arrayOf(
  first: readonly Node[],
  items: Node | null,
  least: number,
  most: number,
): Node {
  const count = first.length;
  const more: Node[] = [];
  if (items !== null && most > count)
    more.push(repeat(sequence(COMMA, items), Math.max(0, least - count), most - count));
  let tail = sequence(...more, END_OF_ARRAY);
  if (count === 0 && items !== null && most > 0) {
    const next = repeat(sequence(COMMA, items), Math.max(0, least - 1), most - 1);
    const some = sequence(SPACE, items, next, END_OF_ARRAY);
    tail = least === 0 ? either(END_OF_ARRAY, some) : some;
  }
  for (let at = Math.min(count, most) - 1; at >= 0; at--) {
    const begun = at + 1 >= most ? END_OF_ARRAY : tail;
    const next = sequence(at === 0 ? SPACE : COMMA, first[at] ?? NOTHING, begun);
    tail = at >= least ? either(END_OF_ARRAY, next) : next;
  }
  return sequence(literal("["), tail);
}

function freeValue(depth: number): Node {
  const scalars = [ANY_STRING, ANY_NUMBER, BOOLEAN, NULL];
  if (depth === 0) return either(...scalars);
  const inner = freeValue(depth - 1);
  const array = arrayOf([], inner, 0, Number.POSITIVE_INFINITY);
  return either(...scalars, objectOf([], inner), array);
}

const ANY_NUMBER = new NumberLeaf({
  integer: false,
  minimum: null,
  maximum: null,
  exclusiveMinimum: null,
  exclusiveMaximum: null,
  multipleOf: null,
});
/** Any JSON. */
export const ANY_VALUE = freeValue(MOST_FREE_DEPTH);
/** Any object; what is in it may be nested one level less than elsewhere. */
export const ANY_OBJECT = objectOf([], freeValue(MOST_FREE_DEPTH - 1));
