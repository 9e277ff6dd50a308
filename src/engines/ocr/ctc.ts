/** What a line of pixels says, and how sure that is. */
export interface Reading {
  readonly text: string;
  /** Mean likelihood of its characters; 0 where there are none. */
  readonly confidence: number;
  /** Where in the pixels each of its characters was seen, from the left. */
  readonly places: readonly number[];
  /** How likely a space was before each, at its likeliest step since the character before; 0 before the first. */
  readonly spaces: readonly number[];
  /** How likely other characters were in place of each, of how likely it was: of those that were asked for. */
  readonly rivals: readonly ReadonlyMap<string, number>[];
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

/** Classes that are asked for beside another, by its number, from characters by character. */
export function rivalClasses(
  classes: readonly string[],
  rivals: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<number, readonly number[]> {
  const number = (character: string) => classes.indexOf(character);
  return new Map([...rivals].map(([character, others]) => [number(character), others.map(number)]));
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
  rivals: ReadonlyMap<number, readonly number[]> = new Map(),
): Reading {
  const found: {
    readonly index: number;
    likelihood: number;
    readonly step: number;
    /** Where it was likeliest. */
    best: number;
    readonly space: number;
  }[] = [];
  const size = classes.length;
  let before = 0;
  let space = 0;
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
    const here = likelihoods[at + size - 1] ?? 0;
    space = Math.max(space, here);
    if (index !== 0 && index !== before) {
      const since = last === undefined ? 0 : space;
      found.push({ index, likelihood, step, best: step, space: since });
      space = here;
    } else if (index !== 0 && last !== undefined && likelihood > last.likelihood)
      Object.assign(last, { likelihood, best: step });
    before = index;
  }
  if (found.length === 0) return { text: "", confidence: 0, places: [], spaces: [], rivals: [] };
  const text = found.map(({ index }) => classes[index] ?? "").join("");
  const sum = found.reduce((all, { likelihood }) => all + likelihood, 0);
  const places = found.map(({ step }) => ((step + 0.5) * width) / steps);
  const spaces = found.map((each) => each.space);
  const others = found.map(
    ({ index, likelihood, best }) =>
      new Map(
        (rivals.get(index) ?? []).map((rival) => [
          classes[rival] ?? "",
          (likelihoods[best * size + rival] ?? 0) / likelihood,
        ]),
      ),
  );
  return { text, confidence: sum / found.length, places, spaces, rivals: others };
}
