/**
 * For each place, how many tokens up to and including it are also the text's last ones, in linear
 * time: the Z-algorithm (Gusfield, "Algorithms on strings, trees, and sequences", 1997), backwards.
 * The last place has 0.
 */
export function suffixLengths(tokens: readonly number[]): Uint32Array {
  const last = tokens.length - 1;
  const lengths = new Uint32Array(tokens.length);
  let left = 0;
  let right = 0;
  for (let back = 1; back <= last; back++) {
    let same = back < right ? Math.min(right - back, lengths[last - (back - left)] ?? 0) : 0;
    while (back + same <= last && tokens[last - same] === tokens[last - back - same]) same++;
    lengths[last - back] = same;
    if (back + same > right) {
      left = back;
      right = back + same;
    }
  }
  return lengths;
}
