/** What a line of pixels says, and how sure that is. */
export interface Reading {
  readonly text: string;
  /** Mean likelihood of its characters; 0 where there are none. */
  readonly confidence: number;
  /** Where in the pixels each of its characters was seen, from the left. */
  readonly places: readonly number[];
}

/**
 * The classes of a recognition network by number: the first is the blank, the last the space, those between are
 * the lines of the dictionary's file.
 */
export function alphabet(dictionary: string): readonly string[] {
  const lines = dictionary.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return ["", ...lines, " "];
}

/**
 * The likeliest path through `steps` × classes likelihoods of a line `width` pixels wide, without its blanks and with what repeats
 * taken once (Graves et al., "Connectionist Temporal Classification", 2006: best path decoding).
 */
export function decode(
  likelihoods: Float32Array,
  steps: number,
  classes: readonly string[],
  width: number,
): Reading {
  const found: { readonly index: number; likelihood: number; readonly step: number }[] = [];
  const size = classes.length;
  let before = 0;
  for (let step = 0; step < steps; step++) {
    let index = 0;
    let likelihood = -Infinity;
    const at = step * size;
    for (let i = 0; i < size; i++) {
      const value = likelihoods[at + i] ?? 0;
      if (value > likelihood) {
        likelihood = value;
        index = i;
      }
    }
    const last = found.at(-1);
    if (index !== 0 && index !== before) found.push({ index, likelihood, step });
    else if (index !== 0 && last !== undefined)
      last.likelihood = Math.max(last.likelihood, likelihood);
    before = index;
  }
  if (found.length === 0) return { text: "", confidence: 0, places: [] };
  const text = found.map(({ index }) => classes[index] ?? "").join("");
  const sum = found.reduce((all, { likelihood }) => all + likelihood, 0);
  const places = found.map(({ step }) => ((step + 0.5) * width) / steps);
  return { text, confidence: sum / found.length, places };
}
