/** A number of dollars as a plain decimal, as price lists have it: `6e-7` is `0.0000006`. */
export function decimal(value: number): string {
  return value.toFixed(12).replace(/\.?0+$/, "");
}
