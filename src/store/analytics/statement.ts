/** A value of a parameter. */
export type Value = string | number;

/**
 * A statement put together from texts of ours and values of anybody's. Values become `$1`, `$2`, … in
 * the order of their appearance, which is how SQLite binds them; no value is ever part of the text.
 */
export class Statement {
  readonly values: Value[] = [];
  #text = "";

  get text(): string {
    return this.#text;
  }

  add(text: string): this {
    this.#text += text;
    return this;
  }

  /** A place for a value. */
  value(value: Value): this {
    this.values.push(value);
    this.#text += `$${this.values.length}`;
    return this;
  }

  /** `column IN ($1, $2)`. */
  among(column: string, values: readonly Value[]): this {
    if (values.length === 0) return this.add("1 = 0");
    this.add(`${column} IN (`);
    for (const [index, value] of values.entries()) {
      if (index > 0) this.add(", ");
      this.value(value);
    }
    return this.add(")");
  }
}
