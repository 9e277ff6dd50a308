import type { Seeded } from "../seeded.ts";

/** JSON Schema as the tests make it up. */
export type Schema = { [keyword: string]: unknown };

const NAMES = ["id", "name", "größe", "a b", 'qu"ote', "back\\slash", "items", "🙂", "x", "value"];
const PATTERNS: readonly string[] = [
  "^[a-z]{2,8}$",
  "^[A-Z][a-z]*$",
  "^\\d{3}-\\d{4}$",
  "^(foo|bar|ba[zq])+$",
  "b",
  '^"\\\\?[^"]{0,5}$',
  "^.{0,12}$",
  "[äöü]{1,3}",
  "^$|^\\s?x",
  "^(a|b)*a(a|b)$",
  "z$",
];
const FORMATS: readonly string[] = [
  ...["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
];
const SCALARS: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  2.5,
  1e21,
  "",
  "a",
  'q"',
  "ünï",
  "\n",
];
const TEXTS: readonly string[] = ["red", "green", 'a "b"', "é", "\\", ""];

/**
 * A schema out of every keyword that guided decoding takes, the same for the same seed. Lists are
 * bounded and texts are short unless `open`, since at high temperatures nothing ends them.
 */
export function randomSchema(random: Seeded, open = false): Schema {
  return new Maker(random, open).whole();
}

class Maker {
  readonly #random: Seeded;
  readonly #open: boolean;
  readonly #defs: Schema = {};

  constructor(random: Seeded, open: boolean) {
    this.#random = random;
    this.#open = open;
  }

  whole(): Schema {
    const kind = this.#random.below(10);
    const schema = kind < 6 ? this.#object(3) : kind === 6 ? this.#list(3) : this.#any(3);
    if (Object.keys(this.#defs).length > 0) schema.$defs = this.#defs;
    if (this.#chance(4)) schema.title = "made up";
    return schema;
  }

  #any(depth: number): Schema {
    const kinds = depth > 0 ? 12 : 7;
    switch (this.#random.below(kinds)) {
      case 0:
      case 1:
        return this.#text();
      case 2:
        return this.#number("integer");
      case 3:
        return this.#number("number");
      case 4:
        return this.#chance(2) ? { type: "boolean" } : { type: "null" };
      case 5:
        return this.#values();
      case 6:
        return this.#types();
      case 7:
      case 8:
        return this.#object(depth - 1);
      case 9:
        return this.#list(depth - 1);
      case 10:
        return { anyOf: this.#times(1, 3, () => this.#any(depth - 1)) };
      default:
        return this.#reference(depth);
    }
  }

  #object(depth: number): Schema {
    const names = NAMES.filter(() => this.#chance(3));
    const never = names.filter(() => this.#chance(12));
    const schema: Schema = { type: "object" };
    if (names.length > 0 || this.#chance(2))
      schema.properties = Object.fromEntries(
        names.map((name) => [name, never.includes(name) ? false : this.#any(depth)]),
      );
    const required = names.filter((name) => !never.includes(name) && this.#chance(2));
    if (this.#chance(8)) required.push("undeclared");
    const others = this.#random.below(6);
    if (others === 0) schema.additionalProperties = this.#any(0);
    else if (others === 1 && this.#open) schema.additionalProperties = true;
    else if (others === 2) {
      schema.additionalProperties = this.#any(0);
      schema.propertyNames = { enum: ["listed", ...names, "undeclared"] };
    } else if (!required.includes("undeclared")) schema.additionalProperties = false;
    if (required.length > 0) schema.required = required;
    return schema;
  }

  #list(depth: number): Schema {
    const schema: Schema = { type: "array" };
    const least = this.#random.below(3);
    if (this.#chance(2)) schema.minItems = least;
    if (!this.#open || this.#chance(2)) schema.maxItems = least + this.#random.below(4);
    if (this.#chance(3)) {
      schema.prefixItems = this.#times(1, 2, () => this.#any(depth));
      schema.items = this.#chance(2) && schema.minItems === undefined ? false : this.#any(depth);
    } else schema.items = this.#any(depth);
    return schema;
  }

  #text(): Schema {
    const schema: Schema = { type: "string" };
    const kind = this.#random.below(6);
    if (kind < 2) schema.pattern = this.#one(PATTERNS);
    if (kind === 2) schema.format = this.#one(FORMATS);
    const bounded = kind !== 2 && schema.pattern === undefined;
    if (bounded && this.#chance(2)) schema.minLength = this.#random.below(6);
    if (bounded && (!this.#open || this.#chance(2))) schema.maxLength = 6 + this.#random.below(40);
    // Every pattern above has texts of eight to twenty characters, or none that are longer.
    if (schema.pattern !== undefined && (!this.#open || this.#chance(3))) schema.maxLength = 20;
    return schema;
  }

  #number(type: "integer" | "number"): Schema {
    const schema: Schema = { type };
    const low = this.#chance(2) ? this.#random.below(2000) - 1000 : this.#random.below(20) / 8 - 1;
    if (this.#chance(2)) schema[this.#chance(3) ? "exclusiveMinimum" : "minimum"] = low;
    if (this.#chance(2))
      schema[this.#chance(3) ? "exclusiveMaximum" : "maximum"] = low + 4 + this.#random.below(5000);
    if (type === "integer" && this.#chance(4)) schema.multipleOf = 1 + this.#random.below(2);
    return schema;
  }

  #values(): Schema {
    const kind = this.#random.below(4);
    if (kind === 0) return { const: this.#one(SCALARS) };
    if (kind === 1) return { const: { a: [1, { b: null }], 'k"': "v" } };
    if (kind === 2)
      return { type: "string", enum: [...new Set(this.#times(1, 4, () => this.#one(TEXTS)))] };
    return { enum: [...new Set(this.#times(1, 4, () => this.#one(SCALARS)))] };
  }

  #types(): Schema {
    const { maxLength } = this.#text();
    const types = ["string", "null", "boolean", "integer"].filter(() => this.#chance(2));
    return { type: types.length === 0 ? ["null"] : types, maxLength: maxLength ?? 12, minimum: -3 };
  }

  /** To a definition, which in every third case names itself: nothing but the model ends such a chain. */
  #reference(depth: number): Schema {
    const name = `d${this.#random.below(3)}`;
    if (this.#defs[name] === undefined) {
      // It is taken before it is made: what is in it may refer to it.
      this.#defs[name] = {};
      this.#defs[name] = this.#chance(3) ? this.#chain(name, depth) : this.#any(0);
    }
    return { $ref: `#/$defs/${name}` };
  }

  #chain(name: string, depth: number): Schema {
    return {
      type: "object",
      properties: {
        here: this.#any(Math.min(1, depth - 1)),
        next: { anyOf: [{ type: "null" }, { $ref: `#/$defs/${name}` }] },
      },
      required: ["next"],
      additionalProperties: false,
    };
  }

  #one<T>(all: readonly T[]): T {
    const found = all[this.#random.below(all.length)];
    if (found === undefined) throw new Error("nothing to choose from");
    return found;
  }

  #times<T>(least: number, more: number, make: () => T): T[] {
    return Array.from({ length: least + this.#random.below(more) }, make);
  }

  #chance(one: number): boolean {
    return this.#random.below(one) === 0;
  }
}
