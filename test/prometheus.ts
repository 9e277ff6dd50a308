/** One line of a look at the metrics. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const HEAD = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/;
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/**
 * Prometheus's text format read by the letter: every metric has its help and type before it and stands
 * together, no series occurs twice, and histograms add up. @throws Error with the line
 */
export function parseMetrics(text: string): Sample[] {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const head = HEAD.exec(line);
    if (head !== null) {
      const [, what, name = "", rest = ""] = head;
      if (what === "TYPE") {
        if (types.has(name) || current !== name) throw new Error(`out of place: ${line}`);
        types.set(name, rest);
      } else if (types.has(name)) throw new Error(`told twice: ${line}`);
      current = name;
      continue;
    }
    const [, name = "", inner = "", value = ""] = LINE.exec(line) ?? [];
    const own =
      types.get(current) === "histogram" ? name.replace(/_(bucket|sum|count)$/, "") : name;
    if (name === "" || own !== current || !types.has(current))
      throw new Error(`no metric: ${line}`);
    const labels: Record<string, string> = {};
    let rest = inner;
    while (rest !== "") {
      const [whole, label, quoted = ""] = LABEL.exec(rest) ?? [];
      if (whole === undefined || label === undefined) throw new Error(`no label: ${line}`);
      labels[label] = quoted.replace(/\\(["\\n])/g, (_, each) => (each === "n" ? "\n" : each));
      rest = rest.slice(whole.length);
    }
    const key = name + JSON.stringify(Object.entries(labels).sort());
    if (seen.has(key)) throw new Error(`a series twice: ${line}`);
    seen.add(key);
    samples.push({ name, labels, value: Number(value.replace("Inf", "Infinity")) });
  }
  for (const [name, type] of types) if (type === "histogram") expectHistogram(name, samples);
  return samples;
}

function expectHistogram(name: string, samples: readonly Sample[]): void {
  for (const { labels, value } of samples.filter((sample) => sample.name === `${name}_count`)) {
    const buckets = samples.filter(
      (sample) => sample.name === `${name}_bucket` && within(sample.labels, labels),
    );
    const counts = buckets.map((bucket) => bucket.value);
    const rising = counts.every((count, at) => count >= (counts[at - 1] ?? 0));
    if (!rising || counts.at(-1) !== value || buckets.at(-1)?.labels.le !== "+Inf") {
      throw new Error(`the buckets of ${name} ${JSON.stringify(labels)} don't add up`);
    }
  }
}

/** The sum of the series with these labels. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  return samples
    .filter((sample) => sample.name === name && within(sample.labels, labels))
    .reduce((sum, { value }) => sum + value, 0);
}

function within(all: Sample["labels"], wanted: Sample["labels"]): boolean {
  return Object.entries(wanted).every(([label, value]) => all[label] === value);
}
