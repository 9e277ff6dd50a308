/** Numbers from 0 up to, and never, 1. */
export type Random = () => number;

const TWO_TO_MINUS_53 = 2 ** -53;

/**
 * 53 bits a number, from xoshiro128** with its state filled from a seed of 32 bits by SplitMix32, as its
 * authors recommend. The same seed gives the same numbers on every machine, whatever else runs.
 */
export function createRandom(seed: number): Random {
  const seeds = splitMix32(seed);
  const next = xoshiro128(seeds(), seeds(), seeds(), seeds());
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) * TWO_TO_MINUS_53;
}

/**
 * xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS
 * 2021): 32 bits a call. The state must not be all zeros.
 */
export function xoshiro128(s0: number, s1: number, s2: number, s3: number): () => number {
  let a = s0;
  let b = s1;
  let c = s2;
  let d = s3;
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result;
  };
}

/** Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014), with MurmurHash3's finalizer. */
function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e_37_79_b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85_eb_ca_6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2_b2_ae_35);
    return mixed ^ (mixed >>> 16);
  };
}

function rotate(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}
