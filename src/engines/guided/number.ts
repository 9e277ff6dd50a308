import { freshId, type Leaf, type LeafState, NOTHING, type Node } from "./node.ts";
import { SpecError } from "./spec-error.ts";

/** The numbers that a schema allows. */
export interface NumberRange {
  readonly integer: boolean;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly exclusiveMinimum: number | null;
  readonly exclusiveMaximum: number | null;
  /** A whole number, at least 1. */
  readonly multipleOf: number | null;
}

/** Digits of a number together: so many are told apart by a double. */
const DIGITS = 15;
/** Digits behind the point. */
const PLACES = 10;
const TENS = Array.from({ length: DIGITS + PLACES + 1 }, (_, power) => 10n ** BigInt(power));
const WRITTEN = /^(-?)(0|[1-9]\d*)?(?:(\.)(\d*))?(?:([eE])([+-]?)(\d*))?$/;

/**
 * A JSON number in a range: at most 15 digits, 10 of them behind the point; where nothing bounds it,
 * an exponent of at most two digits may follow. Zero has no sign. A state is the text so far: a digit may
 * come when the numbers that it can be the beginning of meet the range.
 */
export class NumberLeaf implements Leaf {
  readonly kind = "leaf";
  readonly id = freshId();
  readonly start = "";
  readonly cost = 16;
  readonly #places: number;
  readonly #exponent: boolean;
  /** In units of the last place. */
  readonly #low: bigint;
  readonly #high: bigint;
  readonly #multiple: bigint;
  readonly #unbounded: boolean;

  /** @throws SpecError when no number fits */
  constructor(range: NumberRange) {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = range;
    const whole = range.integer || multipleOf !== null;
    this.#places = whole ? 0 : PLACES;
    const scale = ten(this.#places);
    this.#multiple = BigInt(multipleOf ?? 1);
    const most = 10n ** BigInt(DIGITS) - 1n;
    const lows = [
      -most * scale,
      atLeast(minimum, this.#places),
      above(exclusiveMinimum, this.#places),
    ];
    const highs = [
      most * scale,
      atMost(maximum, this.#places),
      below(exclusiveMaximum, this.#places),
    ];
    this.#low = lows.reduce<bigint>((a, b) => (b !== null && b > a ? b : a), -most * scale);
    this.#high = highs.reduce<bigint>((a, b) => (b !== null && b < a ? b : a), most * scale);
    const bounds = [minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf];
    this.#unbounded = bounds.every((bound) => bound === null);
    this.#exponent = this.#unbounded && !whole;
    if (!this.goesOn(""))
      throw new SpecError(
        `No number of at most ${DIGITS} digits, ${PLACES} of them behind the point, fits.`,
      );
  }

  step(state: LeafState, byte: number): LeafState | null {
    const text = String(state) + String.fromCharCode(byte);
    return this.#canBegin(text) ? text : null;
  }

  exit(state: LeafState): Node | null {
    return this.#isWhole(String(state)) ? NOTHING : null;
  }

  goesOn(state: LeafState): boolean {
    return [..."0123456789-+.eE"].some((next) => this.#canBegin(String(state) + next));
  }

  plainCharacters(): number {
    return 0;
  }

  plainNoLonger(): boolean {
    return false;
  }

  #isWhole(text: string): boolean {
    const found = WRITTEN.exec(text);
    if (found === null) return false;
    const [, sign, digits, dot, places = "", e, , exponent = ""] = found;
    if (digits === undefined || (dot !== undefined && places === "")) return false;
    if (sign === "-" && isZero(digits, places)) return false;
    if (e !== undefined) return exponent !== "";
    const value = this.#scaled(digits, places);
    return this.#inRange(sign === "-" ? -value : value);
  }

  #canBegin(text: string): boolean {
    const found = WRITTEN.exec(text);
    if (found === null) return false;
    const [, sign = "", digits = "", dot, places = "", e, , exponent = ""] = found;
    if (digits.length + places.length > DIGITS || places.length > this.#places) return false;
    if (e !== undefined)
      return (
        this.#exponent &&
        digits !== "" &&
        (dot === undefined || places !== "") &&
        !(sign === "-" && isZero(digits, places)) &&
        exponent.length <= 2
      );
    if (dot !== undefined)
      return digits !== "" && this.#places > 0 && this.#fraction(sign, digits, places);
    if (digits === "")
      return sign === "-" && [..."0123456789"].some((digit) => this.#canBegin(`-${digit}`));
    if (this.#unbounded) return sign === "" || digits !== "0" || this.#places > 0;
    const most = digits === "0" ? 0 : DIGITS - digits.length;
    const scale = ten(this.#places);
    for (let more = 0; more <= most; more++) {
      const from = BigInt(digits) * ten(more);
      // Those that are longer are further away still.
      if (sign === "-" ? -from * scale < this.#low : from * scale > this.#high) return false;
      // With a fraction it is up to the next whole number, as far as digits are left for it.
      const left = Math.min(this.#places, DIGITS - digits.length - more);
      const fraction = scale - ten(this.#places - left);
      const to = (from + ten(more) - 1n) * scale + fraction;
      if (this.#signedMeets(sign, from * scale, to, left)) return true;
    }
    return false;
  }

  /** Whether digits behind the point can be added so that the number is in range. */
  #fraction(sign: string, digits: string, places: string): boolean {
    const left = Math.min(this.#places - places.length, DIGITS - digits.length - places.length);
    if (places === "" && left === 0) return false;
    if (this.#unbounded) return left > 0 || sign === "" || !isZero(digits, places);
    const from = this.#scaled(digits, places);
    const unit = ten(this.#places - places.length);
    const step = ten(this.#places - places.length - left);
    return this.#stepMeets(sign, from, from + unit - step, step);
  }

  #signedMeets(sign: string, from: bigint, to: bigint, left: number): boolean {
    if (this.#places === 0)
      return !(sign === "-" && to === 0n) && this.#meets(...signed(sign, from, to));
    return this.#stepMeets(sign, from, to, ten(this.#places - left));
  }

  /** Whether one of `from`, `from + step` … `to` is in range. */
  #stepMeets(sign: string, from: bigint, to: bigint, step: bigint): boolean {
    const [low, high] = signed(sign, sign === "-" && from === 0n ? step : from, to);
    const start = low > this.#low ? low : low + ceilDiv(this.#low - low, step) * step;
    return start <= high && start <= this.#high;
  }

  #meets(from: bigint, to: bigint): boolean {
    const low = from > this.#low ? from : this.#low;
    const high = to < this.#high ? to : this.#high;
    return ceilDiv(low, this.#multiple) * this.#multiple <= high;
  }

  #inRange(value: bigint): boolean {
    return value >= this.#low && value <= this.#high && value % this.#multiple === 0n;
  }

  #scaled(digits: string, places: string): bigint {
    return BigInt(digits + places.padEnd(this.#places, "0"));
  }
}

function isZero(digits: string, places: string): boolean {
  return /^0*$/.test(digits + places);
}

function ten(power: number): bigint {
  return TENS[power] ?? 0n;
}

function signed(sign: string, from: bigint, to: bigint): [bigint, bigint] {
  return sign === "-" ? [-to, -from] : [from, to];
}

function ceilDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value > 0n && value % by !== 0n ? quotient + 1n : quotient;
}

/** A double in units of a decimal place, rounded down, and whether that is exact. */
function scaledDown(value: number, places: number): { floor: bigint; exact: boolean } {
  const found = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential());
  if (found === null) throw new SpecError("A bound is no finite number.");
  const [, sign, first = "", rest = "", exponent] = found;
  const shift = Number(exponent) - rest.length + places;
  const digits = BigInt(`${sign}${first}${rest}`);
  if (shift >= 0) return { floor: digits * 10n ** BigInt(shift), exact: true };
  const by = 10n ** BigInt(-shift);
  const exact = digits % by === 0n;
  return { floor: digits < 0n && !exact ? digits / by - 1n : digits / by, exact };
}

function atLeast(bound: number | null, places: number): bigint | null {
  if (bound === null) return null;
  const { floor, exact } = scaledDown(bound, places);
  return exact ? floor : floor + 1n;
}

function above(bound: number | null, places: number): bigint | null {
  return bound === null ? null : scaledDown(bound, places).floor + 1n;
}

function atMost(bound: number | null, places: number): bigint | null {
  return bound === null ? null : scaledDown(bound, places).floor;
}

function below(bound: number | null, places: number): bigint | null {
  if (bound === null) return null;
  const { floor, exact } = scaledDown(bound, places);
  return exact ? floor - 1n : floor;
}
